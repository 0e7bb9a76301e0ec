"""Select the test items shown on pages and in figures."""

from pathlib import Path

import pandas as pd

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.evaluation.example_selection import select

with job(Path(snakemake.log[0])):
    scores = pd.read_csv(snakemake.input.scores, dtype={"item": str})
    write_csv(select(scores, snakemake.params.seed), Path(snakemake.output[0]), seed=snakemake.params.seed)
