"""Draw what one dimension of the latent does."""

from pathlib import Path

import torch

from flowsynth.core.progress import job
from flowsynth.figures.macro_controls import draw
from flowsynth.figures.style import save
from flowsynth.latent_space.rendered import read_rendered

with job(Path(snakemake.log[0])):
    torch.set_num_threads(snakemake.threads)
    given, wildcards = snakemake.input, snakemake.wildcards
    heard = read_rendered(Path(given.vectors), Path(given.audio))
    title = f"{wildcards.model}, {wildcards.dataset}, budget {wildcards.budget}."
    dimension = int(wildcards.dimension.removeprefix("_z")) if wildcards.dimension else None
    save(draw(heard, title, dimension), *map(Path, snakemake.output))
