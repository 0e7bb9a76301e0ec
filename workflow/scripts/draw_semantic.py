"""Draw a latent space without and with a semantic dimension."""

from pathlib import Path

import pandas as pd
import torch

from flowsynth.data import Items
from flowsynth.figures.common import save
from flowsynth.figures.semantic import draw
from flowsynth.listen import listen
from flowsynth.models import find
from flowsynth.progress import job
from flowsynth.semantics import PAIRS
from flowsynth.store import ids, names, reading

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
    tags = PAIRS[key].tags(items.all().mel, limits).numpy()
    heard = listen(Path(given.vectors), Path(given.audio))
    title = f"{snakemake.wildcards.dataset}, budget {snakemake.wildcards.budget}."
    shown = ((model, latents[model]) for model in (before, after))
    save(draw(*shown, tags, PAIRS[key], heard, title), *map(Path, snakemake.output))
