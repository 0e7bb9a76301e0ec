"""Draw two sounds and their neighbours."""

from pathlib import Path

import torch

from flowsynth.core.hdf5 import reading
from flowsynth.core.progress import job
from flowsynth.figures.neighbourhood import draw
from flowsynth.figures.style import save
from flowsynth.latent_space.rendered import read_rendered

with job(Path(snakemake.log[0])):
    torch.set_num_threads(snakemake.threads)
    given, wildcards = snakemake.input, snakemake.wildcards
    heard = read_rendered(Path(given.vectors), Path(given.audio))
    title = f"{wildcards.model}, {wildcards.dataset}, budget {wildcards.budget}."
    with reading(Path(given.space)) as file:
        everything = file["latent"][:, 0]
    save(draw(heard, everything, title), *map(Path, snakemake.output))
