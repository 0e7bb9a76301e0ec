"""Search for the parameters of some sounds of each out-of-domain collection."""

from pathlib import Path

from flowsynth.core import hdf5
from flowsynth.core.progress import job
from flowsynth.inference.cma_es import search
from flowsynth.inference.search_task import RenderContext
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    params = snakemake.params
    synth, _ = dataset(snakemake.wildcards.dataset)
    context = RenderContext(synth, Note(**params.render), snakemake.config["render"]["timeout"], params.features)
    targets, ids = [Path(path) for path in snakemake.input.targets], []
    for path in targets:
        with hdf5.reading(path) as file:  # its items are in random order
            ids += hdf5.ids(file)[: params.out_of_domain["search_items"]].tolist()
    starts, renders = Path(snakemake.input.starts), params.out_of_domain["render_budget"]
    search(context, starts, targets, ids, renders, params.seed, Path(snakemake.output.predictions))
