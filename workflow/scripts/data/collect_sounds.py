"""Prepare one collection of out-of-domain sounds."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.core.readers import read_csv
from flowsynth.data.out_of_domain.collections import collect, median_level
from flowsynth.rendering.host import Note

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    params, output = snakemake.params, snakemake.output
    note = Note(**params.render)
    split = read_csv(Path(snakemake.input.split), dtype={"id": str})
    train = split.loc[(split["fold"] == 0) & (split["part"] == "train"), "id"].tolist()
    level = median_level([Path(path) for path in snakemake.input.audio], train)
    collection = snakemake.wildcards.collection
    sounds, manifest = Path(output.sounds), Path(output.manifest)
    collect(collection, params.collection, note, level, params.limit, params.seed, sounds, manifest)
