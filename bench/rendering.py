"""Rendering: against unloading and loading the plugin, against one instance used again, two processes, and memory."""

import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from report import row

from flowsynth.data import presets
from flowsynth.rendering.host import Host, Note
from flowsynth.rendering.render import render_shard
from flowsynth.rendering.worker import render_forked, render_reloaded
from flowsynth.synths import spec as synths

NOTE = Note(22050, 512, 60, 100, 3.0, 4.0)
SYNTH, BUILT_IN = synths.load("amsynth"), synths.load("faust")
ROUNDS, PRESETS, RELOADS = 7, 60, 6


def seconds(action: Callable[[], object], items: int) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) / items


def vectors(count: int, synth: synths.Synth = SYNTH) -> np.ndarray:
    table, _ = presets.collect(synth, synth.names, limit=count)
    return table[list(synth.names)].to_numpy(dtype=np.float32)


def shard(values: np.ndarray) -> None:
    with tempfile.TemporaryDirectory() as folder:
        render_shard(SYNTH, NOTE, [str(i) for i in range(len(values))], values, Path(folder) / "0.h5", 20)


def schemes() -> None:
    """Three ways to render the same presets, in turn, in rounds."""
    values = vectors(PRESETS)
    pristine, used, built_in = Host(SYNTH, NOTE), Host(SYNTH, NOTE), Host(BUILT_IN, NOTE)
    theirs = vectors(PRESETS, BUILT_IN)
    ways = {
        "fork": lambda: seconds(lambda: list(render_forked(pristine.play, values, NOTE.samples, 20)), PRESETS),
        "faust": lambda: seconds(lambda: list(render_forked(built_in.play, theirs, NOTE.samples, 20)), PRESETS),
        "reused": lambda: seconds(lambda: [used.play(vector) for vector in values], PRESETS),
        "reload": lambda: seconds(lambda: list(render_reloaded(lambda: Host(SYNTH, NOTE), values[:RELOADS])), RELOADS),
    }
    taken = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            taken[name].append(way())
    middle = {name: statistics.median(times) for name, times in taken.items()}

    def ratio(a: str, b: str) -> float:
        return statistics.median(x / y for x, y in zip(taken[a], taken[b], strict=True))

    row("render_reused_instance", middle["reused"], "s/preset", "", None)
    row("render_unload_and_reload", middle["reload"], "s/preset", "", None)
    row("render_fork", middle["fork"], "s/preset", "render_unload_and_reload", ratio("reload", "fork"))
    row("render_fork", middle["fork"], "s/preset", "render_reused_instance", ratio("fork", "reused"))
    row("render_built_in_faust", middle["faust"], "s/preset", "render_fork", ratio("fork", "faust"))


def processes() -> None:
    """Whole shards, as a job renders them, by one process and by two at once."""
    values = vectors(1600)  # two shards of the default run: a job pays its start once
    context = multiprocessing.get_context("spawn")
    ratios, times = [], []
    for _ in range(3):
        taken = []
        for count in (1, 2):
            jobs = [context.Process(target=shard, args=(part,)) for part in np.array_split(values, count)]
            start = time.perf_counter()
            for job in jobs:
                job.start()
            for job in jobs:
                job.join()
            taken.append((time.perf_counter() - start) / len(values))
        times.append(taken)
        ratios.append(taken[0] / taken[1])
    one, two = (statistics.median(column) for column in zip(*times, strict=True))
    row("render_shards_one_process", one, "s/preset", "", None)
    row("render_shards_two_processes", two, "s/preset", "render_shards_one_process", statistics.median(ratios))


def peak(count: int) -> None:
    """Print the peak memory of a process that renders so many presets."""
    shard(np.tile(SYNTH.base.astype(np.float32), (count, 1)))
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, sep="\t")


def memory() -> None:
    import subprocess

    found = {}
    for count in (100, 1000, 5000):  # the last is a job of drawn presets
        command = [sys.executable, __file__, str(count)]
        printed = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
        found[count] = float(next(line for line in printed.splitlines() if line.startswith("peak")).split("\t")[1])
    for count, value in found.items():
        first = count == 100
        baseline = "" if first else "render_memory_100_presets"
        row(f"render_memory_{count}_presets", value, "MiB", baseline, None if first else value / found[100])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        peak(int(sys.argv[1]))
    else:
        schemes()
        processes()
        memory()
