"""Split the variance of the scores of models that were trained with several seeds."""

from pathlib import Path

from flowsynth.progress import job
from flowsynth.provenance import write_csv
from flowsynth.tables import gather
from flowsynth.variance import variance

with job(Path(snakemake.log[0])):
    table = variance(gather([Path(snakemake.input.scores)]), snakemake.params.systems)
    write_csv(table, Path(snakemake.output[0]))
