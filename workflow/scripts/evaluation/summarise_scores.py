"""Summarise the scores as CSV, Markdown and LaTeX."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv, write_text
from flowsynth.evaluation.summary import gather, latex, markdown, summarise

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    output = snakemake.output
    summary = summarise(gather([Path(snakemake.input.scores)]), snakemake.params.models)
    write_csv(summary, Path(output.csv))
    write_text(Path(output.md), markdown(summary))
    write_text(Path(output.tex), latex(summary))
