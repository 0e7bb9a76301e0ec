"""Refine predictions by a surrogate that the renderings of its candidates correct."""

from pathlib import Path

import torch

from flowsynth.core.progress import job
from flowsynth.inference.search_task import RenderContext
from flowsynth.inference.surrogate_search import correct
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    torch.set_num_threads(snakemake.threads)
    inputs, params = snakemake.input, snakemake.params
    synth, _ = dataset(snakemake.wildcards.dataset)
    context = RenderContext(synth, Note(**params.render), snakemake.config["render"]["timeout"], params.features)
    targets = [Path(path) for path in inputs.targets]
    renders, path = int(snakemake.wildcards.renderings), Path(snakemake.output.predictions)
    checkpoint, candidates = Path(inputs.checkpoint), Path(inputs.candidates)
    correct(context, checkpoint, candidates, targets, renders, path, params.accelerator, params.descents)
