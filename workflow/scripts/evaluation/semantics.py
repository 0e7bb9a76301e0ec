"""Tag all sounds with semantic pairs, and compare the tags with the names of the presets."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.core.readers import read_csv
from flowsynth.data.dataset import Items, part, usable_ids
from flowsynth.data.semantics import agreement
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    paths = [Path(path) for path in snakemake.input.features]
    _, parameters = dataset(snakemake.wildcards.dataset)
    train = part(Path(snakemake.input.split), 0, "train", paths, parameters).all()
    presets = read_csv(Path(snakemake.input.presets), dtype={"id": str, "name": str}, keep_default_na=False)
    names = presets.set_index("id")["name"]
    ids = usable_ids(paths)
    items = Items(paths, ids, parameters).all()
    write_csv(agreement(train.mel, items.mel, [names[i] for i in ids]), Path(snakemake.output[0]))
