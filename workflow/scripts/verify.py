"""Render presets of the data sets again and compare every bit."""

import sys
from pathlib import Path

import numpy as np

from flowsynth.core.hdf5 import check, reading
from flowsynth.core.progress import job, log
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import rerender
from flowsynth.synths.spec import load

with job(Path(snakemake.log[0])):
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    rng = np.random.default_rng()
    checked, differing = 0, []
    paths = [Path(path) for path in snakemake.input.audio]
    for path in paths:
        check(path)
        with reading(path) as file:
            items, synth = len(file["id"]), load(path.parts[-3].rstrip("0123456789"))
        rows = rng.permutation(items)[: -(-snakemake.params.at_least // len(paths))]
        differing += rerender(synth, note, path, rows.tolist(), timeout)
        checked += len(rows)
        log.info("verify %s: %d items rendered again", path, len(rows))
    told = f"verify: {len(differing)} differing items of {checked}"
    log.info(told)
    print(told, file=sys.stderr, flush=True)  # there is no file to look into
    if differing:
        sys.exit(f"error: not the same bits: {differing}")
