"""Draw what more drawn presets, or longer training, brings."""

from pathlib import Path

import pandas as pd

from flowsynth.core.progress import job
from flowsynth.figures.scaling import draw
from flowsynth.figures.style import save

with job(Path(snakemake.log[0])):
    table = pd.read_csv(snakemake.input.table)
    folds = int(table["folds"].max())
    title = f"{snakemake.params.title}. Over {folds} fold{'s' * (folds > 1)}; 95 % intervals."
    figure = draw(table, snakemake.params.models, snakemake.params.label, title)
    save(figure, *map(Path, snakemake.output))
