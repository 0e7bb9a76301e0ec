"""Measure the cost of the models."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.data.dataset import part
from flowsynth.evaluation.cost import cost
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    checkpoints, timings = (
        dict(zip(snakemake.params.models, map(Path, paths), strict=True))
        for paths in (snakemake.input.checkpoints, snakemake.input.timings)
    )
    _, names = dataset(snakemake.wildcards.dataset)
    items = part(Path(snakemake.input.split), 0, "valid", [Path(path) for path in snakemake.input.features], names)
    write_csv(cost(checkpoints, timings, items), Path(snakemake.output[0]))
