"""Draw how evenly latent dimensions and parameters act on the sound."""

from pathlib import Path

import pandas as pd

from flowsynth.core.progress import job
from flowsynth.figures.smoothness import draw
from flowsynth.figures.style import save

with job(Path(snakemake.log[0])):
    wildcards = snakemake.wildcards
    rows = pd.read_csv(snakemake.input.lines, dtype={"item": str})
    summary = pd.read_csv(snakemake.input.summary)
    title = (
        f"{wildcards.model}, {wildcards.dataset}, budget {wildcards.budget}, {rows['item'].nunique()} sounds. Dot: a control "
        "of a sound. Line: means of a sound. 1 is even, and straight."
    )
    save(draw(rows, summary, title), *map(Path, snakemake.output))
