"""Summarise how models do with sounds that the synthesizer did not make."""

from pathlib import Path

from flowsynth.outside_scores import markdown, read, summarise
from flowsynth.progress import job
from flowsynth.provenance import write_csv, write_text

with job(Path(snakemake.log[0])):
    scores = read([Path(path) for path in snakemake.input.scores], [Path(path) for path in snakemake.input.manifests])
    summary = summarise(scores, snakemake.params.models)
    write_csv(summary, Path(snakemake.output.csv))
    write_text(Path(snakemake.output.md), markdown(summary, snakemake.params.wanting))
