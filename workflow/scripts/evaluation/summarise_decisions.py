"""Summarise the decision rules of all folds."""

from pathlib import Path

import pandas as pd

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.core.readers import read_csv
from flowsynth.evaluation.decision_study import summarise

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    distances = pd.concat([read_csv(Path(path), dtype={"item": str}) for path in snakemake.input], ignore_index=True)
    write_csv(summarise(distances, snakemake.params.seed), Path(snakemake.output[0]))
