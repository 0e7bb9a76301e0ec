"""Predict one preset for each item of the test set of a fold, by a decision rule from draws of a model."""

from pathlib import Path

import torch

from flowsynth.core.progress import job
from flowsynth.data.dataset import part
from flowsynth.inference.decision_rules import decision
from flowsynth.inference.predict import infer
from flowsynth.models.surrogates.base import Surrogate
from flowsynth.models.systems import System
from flowsynth.synths.spec import dataset
from flowsynth.training.accelerator import select_device
from flowsynth.training.checkpoints import load

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    torch.set_num_threads(snakemake.threads)
    inputs, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
    _, names = dataset(wildcards.dataset)
    items = part(Path(inputs.split), int(wildcards.fold), "test", [Path(path) for path in inputs.features], names)
    seed = params.seed + System.parse(wildcards.model).seed - 1  # another training also samples other predictions
    surrogate = (
        load(Path(inputs.surrogate)).model.to(select_device(params.accelerator)) if inputs.get("surrogate") else None
    )
    assert surrogate is None or isinstance(surrogate, Surrogate)
    infer(
        Path(inputs.checkpoint),
        items,
        int(wildcards.draws),
        seed,
        Path(snakemake.output.predictions),
        params.accelerator,
        decision(wildcards.decision, surrogate),
    )
