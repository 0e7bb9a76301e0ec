"""Compute the perceptual distances of all systems on a sample of the test items of a fold."""

from pathlib import Path

from flowsynth.core.layout import SystemPaths
from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.core.readers import read_csv
from flowsynth.evaluation.perception import perceptual_distances, select_items

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    inputs, params, fold = snakemake.input, snakemake.params, int(snakemake.wildcards.fold)
    scores = read_csv(Path(inputs.scores[0]), dtype={"item": str})
    items = select_items(list(dict.fromkeys(scores["item"])), params.number, params.seed, fold)
    systems = [SystemPaths.parse(Path(path)) for path in inputs.predictions]
    write_csv(
        perceptual_distances([Path(path) for path in inputs.targets], systems, items, fold), Path(snakemake.output[0])
    )
