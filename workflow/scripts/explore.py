"""Write the presets of one exploration of the latent of a model."""

from pathlib import Path

import pandas as pd
import torch

from flowsynth.core.progress import job
from flowsynth.data.dataset import part
from flowsynth.latent_space.traversals import explore
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0])):
    torch.set_num_threads(snakemake.threads)
    given, wildcards = snakemake.input, snakemake.wildcards
    _, names = dataset(wildcards.dataset)
    items = part(Path(given.split), int(wildcards.fold), "test", [Path(path) for path in given.features], names)
    chosen = pd.read_csv(given.selection, dtype={"item": str}) if given.selection else pd.DataFrame()
    to = Path(snakemake.output.vectors)
    explore(wildcards.kind, Path(given.checkpoint), items, chosen, snakemake.params.seed, to)
