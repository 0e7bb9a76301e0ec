"""Summarise the perceptual distances of all folds, and correlate them with the metrics."""

from pathlib import Path

import pandas as pd

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.core.readers import read_csv
from flowsynth.evaluation import score_tables
from flowsynth.evaluation.perception import agreement, summarise

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    inputs, seed = snakemake.input, snakemake.params.seed
    distances = pd.concat([read_csv(Path(path), dtype={"item": str}) for path in inputs.distances], ignore_index=True)
    write_csv(summarise(distances, seed), Path(snakemake.output.distances))
    write_csv(agreement(distances, score_tables.read(Path(inputs.scores)), seed), Path(snakemake.output.agreement))
