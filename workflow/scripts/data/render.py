"""Render one shard of a data set."""

from pathlib import Path

from flowsynth.core.disk_space import folder_size, require_space
from flowsynth.core.progress import job, log
from flowsynth.data.presets import read_table
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render_shard
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    path = Path(snakemake.output.audio)
    synth, _ = dataset(snakemake.wildcards.dataset)
    table = read_table(Path(snakemake.input.presets), synth)
    # of all shards, which other jobs may be writing
    require_space(path.parent, len(table) * note.samples * 4 - folder_size(path.parent))
    shard, shards = int(snakemake.wildcards.shard), snakemake.params.shards
    rows = table.iloc[len(table) * shard // shards : len(table) * (shard + 1) // shards]
    values = rows[list(synth.names)].to_numpy()
    counts = render_shard(synth, note, rows["id"].tolist(), values, path, timeout)
    log.info("render %s: %s", path, ", ".join(f"{key} {value}" for key, value in counts.items()))
