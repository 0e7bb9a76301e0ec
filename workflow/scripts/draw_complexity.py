"""Draw how scores change with the number of parameters."""

from pathlib import Path

import pandas as pd

from flowsynth.core.progress import job
from flowsynth.figures.parameter_count import draw
from flowsynth.figures.style import save

with job(Path(snakemake.log[0])):
    title = f"Budget {snakemake.wildcards.budget}. Mean over folds and standard deviation over folds."
    figure = draw(pd.read_csv(snakemake.input.table), snakemake.params.models, title)
    save(figure, *map(Path, snakemake.output))
