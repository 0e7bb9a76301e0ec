"""Go on from the answers of a system by search."""

from pathlib import Path

from flowsynth.core.hdf5 import ids, reading
from flowsynth.core.progress import job
from flowsynth.inference.cma_es import search
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0])):
    given, params = snakemake.input, snakemake.params
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    synth, _ = dataset(snakemake.wildcards.dataset)
    with reading(Path(given.starts)) as file:
        wanted = ids(file).tolist()
    targets = [Path(path) for path in given.targets]
    search(
        synth, note, Path(given.starts), targets, wanted, params.features,
        int(snakemake.wildcards.renderings), params.seed, timeout, Path(snakemake.output.predictions),
    )  # fmt: skip
