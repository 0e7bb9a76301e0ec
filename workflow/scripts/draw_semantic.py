"""Draw a latent space without and with a semantic dimension."""

from pathlib import Path

import pandas as pd
import torch

from flowsynth.core.hdf5 import ids, names, reading
from flowsynth.core.progress import job
from flowsynth.data.dataset import Items
from flowsynth.data.semantics import SEMANTIC_PAIRS
from flowsynth.figures.semantic import draw
from flowsynth.figures.style import save
from flowsynth.latent_space.rendered import read_rendered
from flowsynth.models.base import find

with job(Path(snakemake.log[0])):
    torch.set_num_threads(snakemake.threads)
    given, (before, after) = snakemake.input, snakemake.params.models
    latents = {}
    for model, path in ((before, given.before), (after, given.after)):
        with reading(Path(path)) as file:
            latents[model], items = (
                file["latent"][:, 0],
                Items([Path(f) for f in given.features], ids(file), names(file)),
            )
    key = find(after).pair
    table = pd.read_csv(given.thresholds).set_index("pair").loc[key]
    limits = torch.tensor(table[["lower", "upper"]].iloc[0].to_numpy(), dtype=torch.float32)
    tags = SEMANTIC_PAIRS[key].tags(items.all().mel, limits).numpy()
    heard = read_rendered(Path(given.vectors), Path(given.audio))
    title = f"{snakemake.wildcards.dataset}, budget {snakemake.wildcards.budget}."
    shown = ((model, latents[model]) for model in (before, after))
    save(draw(*shown, tags, SEMANTIC_PAIRS[key], heard, title), *map(Path, snakemake.output))
