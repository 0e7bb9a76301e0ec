"""Make one collection of sounds that the synthesizer did not make."""

from pathlib import Path

import pandas as pd

from flowsynth.host import Note
from flowsynth.outside import collect, usual_level
from flowsynth.progress import job

with job(Path(snakemake.log[0])):
    given, to = snakemake.params, snakemake.output
    note = Note(**given.render)
    split = pd.read_csv(snakemake.input.split, dtype={"id": str})
    train = split.loc[(split["fold"] == 0) & (split["part"] == "train"), "id"].tolist()
    level = usual_level([Path(path) for path in snakemake.input.audio], train)
    collection = snakemake.wildcards.collection
    collect(collection, given.given, note, level, given.limit, given.seed, Path(to.sounds), Path(to.manifest))
