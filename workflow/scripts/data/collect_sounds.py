"""Prepare one collection of out-of-domain sounds."""

from pathlib import Path

import pandas as pd

from flowsynth.core.progress import job
from flowsynth.data.out_of_domain.collections import collect, median_level
from flowsynth.rendering.host import Note

with job(Path(snakemake.log[0])):
    params, output = snakemake.params, snakemake.output
    note = Note(**params.render)
    split = pd.read_csv(snakemake.input.split, dtype={"id": str})
    train = split.loc[(split["fold"] == 0) & (split["part"] == "train"), "id"].tolist()
    level = median_level([Path(path) for path in snakemake.input.audio], train)
    collection = snakemake.wildcards.collection
    sounds, manifest = Path(output.sounds), Path(output.manifest)
    collect(collection, params.collection, note, level, params.limit, params.seed, sounds, manifest)
