"""Draw what more drawn presets bring."""

from pathlib import Path

import pandas as pd

from flowsynth.figures.amount import draw
from flowsynth.figures.common import save
from flowsynth.progress import job

with job(Path(snakemake.log[0])):
    folds = snakemake.params.folds
    title = f"Presets drawn for training, at equal work. Over {folds} fold{'s' * (folds > 1)}; 95 % intervals."
    figure = draw(pd.read_csv(snakemake.input.table), snakemake.params.models, title)
    save(figure, *map(Path, snakemake.output))
