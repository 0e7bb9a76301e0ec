"""Make one collection of sounds that the synthesizer did not make."""

from pathlib import Path

import pandas as pd

from flowsynth.core.progress import job
from flowsynth.data.out_of_domain.collections import collect, median_level
from flowsynth.rendering.host import Note

with job(Path(snakemake.log[0])):
    given, to = snakemake.params, snakemake.output
    note = Note(**given.render)
    split = pd.read_csv(snakemake.input.split, dtype={"id": str})
    train = split.loc[(split["fold"] == 0) & (split["part"] == "train"), "id"].tolist()
    level = median_level([Path(path) for path in snakemake.input.audio], train)
    collection = snakemake.wildcards.collection
    collect(collection, given.given, note, level, given.limit, given.seed, Path(to.sounds), Path(to.manifest))
