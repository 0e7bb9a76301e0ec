"""Concatenate the scores of all models and folds."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.evaluation.summary import gather

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    write_csv(gather([Path(path) for path in snakemake.input.scores]), Path(snakemake.output[0]))
