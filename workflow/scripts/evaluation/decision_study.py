"""Measure the decision rules of all densities on the validation sounds of a fold."""

from pathlib import Path

import torch

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.data.dataset import part
from flowsynth.evaluation.decision_study import rule_distances
from flowsynth.inference.search_task import RenderContext
from flowsynth.models.surrogates.base import Surrogate
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import dataset
from flowsynth.training.checkpoints import load

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    torch.set_num_threads(snakemake.threads)
    inputs, params, fold = snakemake.input, snakemake.params, int(snakemake.wildcards.fold)
    synth, names = dataset(snakemake.wildcards.dataset)
    context = RenderContext(synth, Note(**params.render), snakemake.config["render"]["timeout"], params.features)
    items = part(Path(inputs.split), fold, "valid", [Path(path) for path in inputs.features], names)
    checkpoints = dict(zip(params.models, map(Path, inputs.checkpoints), strict=True))
    surrogate = load(Path(inputs.surrogate)).model
    assert isinstance(surrogate, Surrogate)
    table = rule_distances(context, checkpoints, items, params.draws, fold, params.seed, surrogate)
    write_csv(table, Path(snakemake.output[0]))
