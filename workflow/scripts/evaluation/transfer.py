"""Rank the models on several data sets, and correlate the ranks."""

from pathlib import Path

from flowsynth.core.layout import RunPaths
from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.evaluation import score_tables
from flowsynth.evaluation.transfer import transfer

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    paths = [Path(path) for path in snakemake.input.scores]
    scores = {RunPaths.parse(path).dataset: score_tables.read(path) for path in paths}
    tables = transfer(scores, tuple(snakemake.params.metrics), snakemake.params.seed)
    for table, path in zip(tables, snakemake.output, strict=True):
        write_csv(table, Path(path), seed=snakemake.params.seed)
