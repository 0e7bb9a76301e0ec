"""Draw how well the models that draw presets are calibrated."""

from pathlib import Path

import pandas as pd

from flowsynth.core.progress import job
from flowsynth.figures.calibration import draw
from flowsynth.figures.style import save

with job(Path(snakemake.log[0])):
    wildcards = snakemake.wildcards
    table, coverage = pd.read_csv(snakemake.input.table), pd.read_csv(snakemake.input.coverage)
    title = (
        f"{wildcards.dataset}, budget {wildcards.budget}: {table['draws'].max()} draws for each of "
        f"{table['items'].max()} sounds of the test parts."
    )
    save(draw(table, coverage, title), *map(Path, snakemake.output))
