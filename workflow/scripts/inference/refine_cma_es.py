"""Refine the predictions of a system with CMA-ES."""

from pathlib import Path

from flowsynth.core import hdf5
from flowsynth.core.progress import job
from flowsynth.inference.cma_es import search
from flowsynth.inference.search_task import RenderContext
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    inputs, params = snakemake.input, snakemake.params
    synth, _ = dataset(snakemake.wildcards.dataset)
    context = RenderContext(synth, Note(**params.render), snakemake.config["render"]["timeout"], params.features)
    with hdf5.reading(Path(inputs.starts)) as file:
        ids = hdf5.ids(file).tolist()
    targets = [Path(path) for path in inputs.targets]
    renders, path = int(snakemake.wildcards.renderings), Path(snakemake.output.predictions)
    search(context, Path(inputs.starts), targets, ids, renders, params.seed, path)
