"""Put the scores of all models and folds into one table."""

from pathlib import Path

from flowsynth.progress import job
from flowsynth.provenance import write_csv
from flowsynth.tables import gather

with job(Path(snakemake.log[0])):
    write_csv(gather([Path(path) for path in snakemake.input.scores]), Path(snakemake.output[0]))
