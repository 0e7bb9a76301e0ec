"""Render presets of the data sets again, and require bit-identical sounds."""

import sys
from pathlib import Path

import numpy as np

from flowsynth.core.hdf5 import reading
from flowsynth.core.layout import RunPaths
from flowsynth.core.progress import job, log
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import rerender
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    rng = np.random.default_rng()
    count, differences = 0, []
    paths = [Path(path) for path in snakemake.input.audio]
    for path in paths:
        with reading(path) as file:
            items, synth = len(file["id"]), dataset(RunPaths.parse(path).dataset)[0]
        rows = rng.permutation(items)[: -(-snakemake.params.at_least // len(paths))]
        differences += rerender(synth, note, path, rows.tolist(), timeout)
        count += len(rows)
        log.info("verify %s: %d items rendered again", path, len(rows))
    result = f"verify: {len(differences)} differing items of {count}"
    log.info(result)
    print(result, file=sys.stderr, flush=True)  # the rule has no output file
    if differences:
        sys.exit(f"error: sounds are not bit-identical: {differences}")
