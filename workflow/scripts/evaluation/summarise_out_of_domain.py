"""Summarise the scores on out-of-domain sounds."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv, write_text
from flowsynth.evaluation.out_of_domain import markdown, read_scores, summarise

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    inputs = snakemake.input
    scores = read_scores([Path(path) for path in inputs.scores], [Path(path) for path in inputs.manifests])
    summary = summarise(scores, snakemake.params.models)
    write_csv(summary, Path(snakemake.output.csv))
    write_text(Path(snakemake.output.md), markdown(summary, snakemake.params.missing_packages))
