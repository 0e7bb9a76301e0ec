"""Let a model hear the test part of a fold, or sounds that are in no split."""

from pathlib import Path

import torch

from flowsynth.data import Items, part, usable
from flowsynth.infer import infer
from flowsynth.progress import job
from flowsynth.synths import dataset
from flowsynth.systems import training_of

with job(Path(snakemake.log[0])):
    torch.set_num_threads(snakemake.threads)
    paths = [Path(path) for path in snakemake.input.features]
    _, names = dataset(snakemake.wildcards.dataset)
    if snakemake.input.get("split"):
        items = part(Path(snakemake.input.split), int(snakemake.wildcards.fold), "test", paths, names)
    else:  # nothing is known of their parameters
        items = Items(paths, usable(paths), ())
    checkpoint, predictions = Path(snakemake.input.checkpoint), Path(snakemake.output.predictions)
    params = snakemake.params
    seed = params.seed + training_of(snakemake.wildcards.model) - 1  # another training draws its answers anew, too
    infer(checkpoint, items, params.samples, seed, predictions, params.accelerator)
