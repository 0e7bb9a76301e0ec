"""Decompose the variance of the scores of models trained with several seeds."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.evaluation.summary import gather
from flowsynth.evaluation.variance_components import decompose_variance

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    table = decompose_variance(gather([Path(snakemake.input.scores)]))
    write_csv(table, Path(snakemake.output[0]))
