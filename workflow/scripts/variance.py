"""Split the variance of the scores of models that were trained with several seeds."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.evaluation.summary import gather
from flowsynth.evaluation.variance_components import variance

with job(Path(snakemake.log[0])):
    table = variance(gather([Path(snakemake.input.scores)]), snakemake.params.systems)
    write_csv(table, Path(snakemake.output[0]))
