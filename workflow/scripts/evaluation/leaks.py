"""Concatenate the leakage statistics of all kinds of split."""

from pathlib import Path

import pandas as pd

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.core.readers import read_csv

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    write_csv(pd.concat([read_csv(Path(path)) for path in snakemake.input]), Path(snakemake.output[0]))
