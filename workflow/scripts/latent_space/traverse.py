"""Write one kind of latent traversals of a model."""

from pathlib import Path

import pandas as pd
import torch

from flowsynth.core.progress import job
from flowsynth.core.readers import read_csv
from flowsynth.data.dataset import part
from flowsynth.latent_space.traversals import traverse
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    torch.set_num_threads(snakemake.threads)
    inputs, wildcards = snakemake.input, snakemake.wildcards
    _, names = dataset(wildcards.dataset)
    items = part(Path(inputs.split), int(wildcards.fold), "test", [Path(path) for path in inputs.features], names)
    selection = read_csv(Path(inputs.selection), dtype={"item": str}) if inputs.selection else pd.DataFrame()
    path = Path(snakemake.output.vectors)
    traverse(wildcards.kind, Path(inputs.checkpoint), items, selection, snakemake.params.seed, path)
