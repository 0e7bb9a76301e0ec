"""Concatenate the leakage statistics of all kinds of split."""

from pathlib import Path

import pandas as pd

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv

with job(Path(snakemake.log[0])):
    write_csv(pd.concat([pd.read_csv(path) for path in snakemake.input]), Path(snakemake.output[0]))
