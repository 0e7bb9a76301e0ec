"""Put our scores beside those of the paper."""

from pathlib import Path

import pandas as pd

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv, write_text
from flowsynth.evaluation.published import beside, markdown
from flowsynth.evaluation.summary import gather
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0])):
    given = snakemake.input
    scores, published, reasons = gather([Path(given.scores)]), pd.read_csv(given.published), pd.read_csv(given.reasons)
    _, names = dataset(snakemake.wildcards.dataset)
    table = beside(scores, published, reasons, len(names))
    write_csv(table, Path(snakemake.output.csv))
    write_text(Path(snakemake.output.md), markdown(table))
