"""Predict several candidates for each item of the test set of a fold."""

from pathlib import Path

import torch

from flowsynth.core.progress import job
from flowsynth.data.dataset import part
from flowsynth.inference.predict import infer
from flowsynth.models.systems import System
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    torch.set_num_threads(snakemake.threads)
    inputs, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
    _, names = dataset(wildcards.dataset)
    items = part(Path(inputs.split), int(wildcards.fold), "test", [Path(path) for path in inputs.features], names)
    seed = params.seed + System.parse(wildcards.model).seed - 1  # another training also samples other predictions
    path = Path(snakemake.output.predictions)
    infer(Path(inputs.checkpoint), items, params.samples, seed, path, params.accelerator)
