"""Rendering time and memory; baselines: reloading the plugin, a reused instance, and a single process."""

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


def compare_schemes() -> None:
    """Compare ways to render the same presets, in alternation."""
    values = vectors(PRESETS)
    pristine, reused, built_in = Host(SYNTH, NOTE), Host(SYNTH, NOTE), Host(BUILT_IN, NOTE)
    built_in_values = vectors(PRESETS, BUILT_IN)
    schemes = {
        "fork": lambda: seconds(lambda: list(render_forked(pristine.play, values, NOTE.samples, 20)), PRESETS),
        "faust": lambda: seconds(
            lambda: list(render_forked(built_in.play, built_in_values, NOTE.samples, 20)), PRESETS
        ),
        "reused": lambda: seconds(lambda: [reused.play(vector) for vector in values], PRESETS),
        "reload": lambda: seconds(lambda: list(render_reloaded(lambda: Host(SYNTH, NOTE), values[:RELOADS])), RELOADS),
    }
    times: dict[str, list[float]] = {name: [] for name in schemes}
    for _ in range(ROUNDS):
        for name, scheme in schemes.items():
            times[name].append(scheme())
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}

    def ratio(a: str, b: str) -> float:
        return statistics.median(x / y for x, y in zip(times[a], times[b], strict=True))

    row("render_reused_instance", medians["reused"], "s/preset", "", None)
    row("render_unload_and_reload", medians["reload"], "s/preset", "", None)
    row("render_fork", medians["fork"], "s/preset", "render_unload_and_reload", ratio("reload", "fork"))
    row("render_fork", medians["fork"], "s/preset", "render_reused_instance", ratio("fork", "reused"))
    row("render_built_in_faust", medians["faust"], "s/preset", "render_fork", ratio("fork", "faust"))


def compare_processes() -> None:
    """Compare one process with two that render complete shards, as jobs do."""
    values = vectors(1600)  # two shards of the default run; a job starts once
    context = multiprocessing.get_context("spawn")
    ratios, times = [], []
    for _ in range(3):
        round_times = []
        for count in (1, 2):
            jobs = [context.Process(target=shard, args=(part,)) for part in np.array_split(values, count)]
            start = time.perf_counter()
            for job in jobs:
                job.start()
            for job in jobs:
                job.join()
            round_times.append((time.perf_counter() - start) / len(values))
        times.append(round_times)
        ratios.append(round_times[0] / round_times[1])
    one, two = (statistics.median(column) for column in zip(*times, strict=True))
    row("render_shards_one_process", one, "s/preset", "", None)
    row("render_shards_two_processes", two, "s/preset", "render_shards_one_process", statistics.median(ratios))


def peak(count: int) -> None:
    """Render `count` presets and print the peak memory of this process."""
    shard(np.tile(SYNTH.base.astype(np.float32), (count, 1)))
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, sep="\t")


def measure_memory() -> None:
    import subprocess

    peaks = {}
    for count in (100, 1000, 5000):  # the last is the size of a job of synthetic presets
        command = [sys.executable, __file__, str(count)]
        output = subprocess.run(command, check=True, encoding="utf-8", stdout=subprocess.PIPE).stdout
        peaks[count] = float(next(line for line in output.splitlines() if line.startswith("peak")).split("\t")[1])
    for count, value in peaks.items():
        first = count == 100
        baseline = "" if first else "render_memory_100_presets"
        row(f"render_memory_{count}_presets", value, "MiB", baseline, None if first else value / peaks[100])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        peak(int(sys.argv[1]))
    else:
        compare_schemes()
        compare_processes()
        measure_memory()
