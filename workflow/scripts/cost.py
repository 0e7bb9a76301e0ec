"""Measure what the models cost."""

from pathlib import Path

from flowsynth.cost import cost
from flowsynth.data import part
from flowsynth.progress import job
from flowsynth.provenance import write_csv
from flowsynth.synths import dataset

with job(Path(snakemake.log[0])):
    checkpoints = dict(zip(snakemake.params.models, map(Path, snakemake.input.checkpoints), strict=True))
    folder = Path(snakemake.output[0]).parents[1]
    timings = {
        name: folder / "benchmarks" / path.relative_to(folder).parent / "train.tsv"
        for name, path in checkpoints.items()
    }
    _, names = dataset(snakemake.wildcards.dataset)
    items = part(Path(snakemake.input.split), 0, "valid", [Path(path) for path in snakemake.input.features], names)
    write_csv(cost(checkpoints, timings, items), Path(snakemake.output[0]))
