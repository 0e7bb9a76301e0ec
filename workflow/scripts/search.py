"""Search for the parameters of some sounds of each collection."""

from pathlib import Path

from flowsynth.core.hdf5 import ids, reading
from flowsynth.core.progress import job
from flowsynth.inference.cma_es import search
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0])):
    given = snakemake.params
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    synth, _ = dataset(snakemake.wildcards.dataset)
    targets, wanted = [Path(path) for path in snakemake.input.targets], []
    for path in targets:
        with reading(path) as file:  # its items are in the order in which they were drawn
            wanted += ids(file)[: given.outside["searched"]].tolist()
    search(
        synth, note, Path(snakemake.input.starts), targets, wanted, given.features, given.outside["renders"],
        given.seed, timeout, Path(snakemake.output.predictions),
    )  # fmt: skip
