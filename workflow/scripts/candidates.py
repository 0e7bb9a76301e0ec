"""Draw several predictions for each item of the test part of a fold."""

from pathlib import Path

import torch

from flowsynth.core.progress import job
from flowsynth.data.dataset import part
from flowsynth.inference.predict import infer
from flowsynth.models.registry import training_number
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0])):
    torch.set_num_threads(snakemake.threads)
    given, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
    _, names = dataset(wildcards.dataset)
    items = part(Path(given.split), int(wildcards.fold), "test", [Path(path) for path in given.features], names)
    seed = params.seed + training_number(wildcards.model) - 1  # another training draws its predictions anew, too
    path = Path(snakemake.output.predictions)
    infer(Path(given.checkpoint), items, params.samples, seed, path, params.accelerator)
