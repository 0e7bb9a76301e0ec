"""Put our scores beside those of the paper."""

from pathlib import Path

import pandas as pd

from flowsynth.paper import beside, markdown
from flowsynth.progress import job
from flowsynth.provenance import write_csv, write_text
from flowsynth.synths import dataset
from flowsynth.tables import gather

with job(Path(snakemake.log[0])):
    given = snakemake.input
    scores, published, reasons = gather([Path(given.scores)]), pd.read_csv(given.published), pd.read_csv(given.reasons)
    _, names = dataset(snakemake.wildcards.dataset)
    table = beside(scores, published, reasons, len(names))
    write_csv(table, Path(snakemake.output.csv))
    write_text(Path(snakemake.output.md), markdown(table))
