"""Draw the way from one sound to another."""

from pathlib import Path

import torch

from flowsynth.core.progress import job
from flowsynth.figures.interpolation import draw
from flowsynth.figures.style import save
from flowsynth.latent_space.rendered import read_rendered

with job(Path(snakemake.log[0])):
    torch.set_num_threads(snakemake.threads)
    given, wildcards = snakemake.input, snakemake.wildcards
    heard = read_rendered(Path(given.vectors), Path(given.audio))
    title = f"{wildcards.model}, {wildcards.dataset}, budget {wildcards.budget}."
    save(draw(heard, title), *map(Path, snakemake.output))
