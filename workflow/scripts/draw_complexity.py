"""Draw how scores change with the number of parameters."""

from pathlib import Path

import pandas as pd

from flowsynth.figures.common import save
from flowsynth.figures.complexity import draw
from flowsynth.progress import job

with job(Path(snakemake.log[0])):
    title = f"Budget {snakemake.wildcards.budget}. Mean over folds and standard deviation over folds."
    figure = draw(pd.read_csv(snakemake.input.table), snakemake.params.models, title)
    save(figure, *map(Path, snakemake.output))
