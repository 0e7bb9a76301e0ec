"""Render one shard of a data set."""

from pathlib import Path

from flowsynth.host import Note
from flowsynth.presets import read_table
from flowsynth.progress import job, log
from flowsynth.render import render_shard
from flowsynth.store import require_space
from flowsynth.synths import dataset

with job(Path(snakemake.log[0])):
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    path = Path(snakemake.output.audio)
    synth, _ = dataset(snakemake.wildcards.dataset)
    table = read_table(Path(snakemake.input.presets), synth)
    require_space(path.parent, len(table), note.samples)
    shard, shards = int(snakemake.wildcards.shard), snakemake.params.shards
    rows = table.iloc[len(table) * shard // shards : len(table) * (shard + 1) // shards]
    values = rows[list(synth.names)].to_numpy()
    count = render_shard(synth, note, rows["id"].tolist(), values, path, timeout)
    log.info("render %s: %s", path, ", ".join(f"{key} {value}" for key, value in count.items()))
