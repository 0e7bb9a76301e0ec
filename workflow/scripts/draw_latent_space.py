"""Draw a map of the latent space."""

from pathlib import Path

from flowsynth.core.hdf5 import ids, names, reading
from flowsynth.core.progress import job
from flowsynth.data.dataset import Items
from flowsynth.figures.latent_space import draw
from flowsynth.figures.style import save

with job(Path(snakemake.log[0])):
    given, wildcards = snakemake.input, snakemake.wildcards
    with reading(Path(given.space)) as file:
        latent, items = file["latent"][:, 0], Items([Path(path) for path in given.features], ids(file), names(file))
    title = (
        f"{wildcards.model}, {wildcards.dataset}, budget {wildcards.budget}: the latent space, test part of fold 0. "
        "Colour: rank of what is heard."
    )
    save(draw(latent, items.all().mel.numpy(), title), *map(Path, snakemake.output))
