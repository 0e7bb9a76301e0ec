"""Let a model hear the test part of a fold."""

from pathlib import Path

import torch

from flowsynth.data import part
from flowsynth.infer import infer
from flowsynth.progress import job
from flowsynth.synths import dataset

with job(Path(snakemake.log[0])):
    torch.set_num_threads(snakemake.threads)
    paths = [Path(path) for path in snakemake.input.features]
    _, names = dataset(snakemake.wildcards.dataset)
    items = part(Path(snakemake.input.split), int(snakemake.wildcards.fold), "test", paths, names)
    checkpoint, predictions = Path(snakemake.input.checkpoint), Path(snakemake.output.predictions)
    params = snakemake.params
    infer(checkpoint, items, params.samples, params.seed, predictions, params.accelerator)
