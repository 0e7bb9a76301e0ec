"""Scaling: memory for thousands to 100,000 presets, and time to sample, render and extract features of presets."""

import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from report import row

if TYPE_CHECKING:
    from flowsynth.data.dataset import Batch
    from flowsynth.models.base import Model

WINDOW = 2048  # items in memory during training
FEATURES = {"few": 3_000, "many": 100_000}
SOUNDS = {"few": 300, "many": 3_000}
SAMPLED = 500  # presets of each of two processes
BATCH = 64  # batch size of the paper
ITEMS = 2560  # items per epoch on an accelerator


def train(items: int) -> None:
    """Train for an epoch on random items."""
    from synthetic import NAMES, SPACE, write

    from flowsynth.data.dataset import Items
    from flowsynth.models.nn.networks import Size
    from flowsynth.training.fit import fit
    from flowsynth.training.plan import Plan

    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / "train.h5", Path(folder) / "valid.h5"]
        ids = [write(path, count) for path, count in zip(paths, (items, 300), strict=True)]
        train, valid = (Items([path], i, NAMES, WINDOW) for path, i in zip(paths, ids, strict=True))
        checkpoint, history, progress = (Path(folder) / name for name in ("checkpoint.pt", "history.csv", "progress"))
        size, plan = Size(2, 4, 5, 2, 32, 0.0), Plan(1, 256, 0.001, 2, 1, "cpu", "32-true")
        fit("mlp", SPACE, train, valid, size, plan, 0, checkpoint, history, progress)


def extract_features(sounds: int) -> None:
    """Extract the features of random sounds of four seconds."""
    from flowsynth.core import hdf5
    from flowsynth.data.features import extract

    with tempfile.TemporaryDirectory() as folder:
        path, rng = Path(folder) / "audio.h5", np.random.default_rng(0)
        with hdf5.writing(path, map(str, range(sounds)), np.zeros((sounds, 1)), ["p"], {"sample_rate": 22050}) as file:
            audio = hdf5.add_items(file, "audio", (88200,))
            for index in range(sounds):
                audio[index] = rng.uniform(-0.5, 0.5, 88200)
            hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = ["ok"] * sounds
        extract(path, Path(folder) / "features.h5", {})


def sample_and_render(seed: int) -> None:
    """Sample and render presets and extract their features, as jobs do."""
    from flowsynth.data import presets
    from flowsynth.data.augmentation import sample
    from flowsynth.rendering.host import Note
    from flowsynth.rendering.render import render_shard
    from flowsynth.synths import spec as synths

    synth, names = synths.dataset("amsynth16")
    table, _ = presets.collect(synth, names, limit=1000)
    parents, free = table[list(synth.names)].to_numpy(), np.isin(synth.names, names)
    values = sample(parents, parents[:0], free, free, np.zeros_like(free), SAMPLED, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audio.h5"
        render_shard(synth, Note(22050, 512, 60, 100, 3.0, 4.0), [str(i) for i in range(SAMPLED)], values, path, 20)
        import torch

        from flowsynth.data.features import extract

        torch.set_num_threads(1)
        extract(path, Path(folder) / "features.h5", {})


def networks(items: int) -> Iterator[tuple["Model", "Batch"]]:
    """Yield all trained models of the configuration in the paper's sizes, each with a random batch."""
    import torch
    import yaml
    from synthetic import SPACE

    from flowsynth.data.dataset import Batch
    from flowsynth.models import base as models
    from flowsynth.models.nn.networks import Size

    config = yaml.safe_load((Path(__file__).parents[1] / "config.yaml").read_text(encoding="utf-8"))
    batch = Batch(torch.randn(items, 64, 80), torch.rand(items, 16))
    for name in config["models"]:
        if issubclass(models.find(name), models.Control):
            continue
        model = models.find(name)(64, 80, SPACE, Size(**config["budgets"]["paper"]["network"]))
        model.calibrate(batch)
        yield model, batch


def count_gflop() -> float:
    """Count the GFLOP per preset of an epoch of all models, forward and backward."""
    from torch.utils.flop_counter import FlopCounterMode

    total = 0.0
    for model, batch in networks(2):
        with FlopCounterMode(display=False) as counter:
            model.loss(batch)["loss"].backward()
        total += model.passes * counter.get_total_flops() / 2e9
    return total


def on_accelerator() -> float:
    """Measure the milliseconds per preset of an epoch of all models, in batches of the paper's size."""
    import torch
    from synthetic import NAMES, write

    from flowsynth.data.dataset import Items
    from flowsynth.training.batches import Batches, EpochOrder
    from flowsynth.training.plan import Plan
    from flowsynth.training.trainer import Trainer

    plan, total = Plan(4, BATCH, 2e-4, 20, 4, "gpu", "32-true"), 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.h5"
        items = Items([path], write(path, ITEMS), NAMES)
        for model, _ in networks(BATCH):
            size = BATCH * model.batch_factor
            rows = EpochOrder(items, 0, model.passes).rows(0)
            trainer = Trainer(type(model).__name__, model, plan, 0, -(-len(rows) // size))
            batches = Batches(items, trainer.device)
            with trainer.cuda_stream():
                trainer.train_epoch(batches, rows, size)  # warms up
                torch.accelerator.synchronize()
                start = time.perf_counter()
                trainer.train_epoch(batches, rows, size)  # ends with a copy from the device
                total += (time.perf_counter() - start) * 1000 / ITEMS
    return total


def peak(action: str, count: int) -> float:
    """Measure the peak memory in MiB of a separate process that runs an action with `count` items."""
    command = [sys.executable, __file__, action, str(count)]
    output = subprocess.run(
        command, check=True, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ).stdout
    return float(next(line for line in output.splitlines() if line.startswith("peak")).split("\t")[1])


def cpu_time() -> float:
    """Return the CPU seconds of all finished child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    for action, counts in (("train", FEATURES), ("features", SOUNDS)):  # names of rows
        few, many = (peak(action, count) for count in counts.values())
        row(f"{action}_memory_{counts['few']}", few, "MiB", "", None)
        row(f"{action}_memory_{counts['many']}", many, "MiB", f"{action}_memory_{counts['few']}", many / few)
    start, cpu_start = time.perf_counter(), cpu_time()
    context = multiprocessing.get_context("spawn")
    jobs = [context.Process(target=sample_and_render, args=(seed,)) for seed in range(2)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    seconds = (time.perf_counter() - start) / (2 * SAMPLED)
    row("synthetic_presets_two_jobs", seconds, "s/preset", "", None)
    row("synthetic_presets_cpu", (cpu_time() - cpu_start) / (2 * SAMPLED), "CPU s/preset", "", None)
    gflop = count_gflop()
    row("train_all_models_paper_size", gflop, "GFLOP/preset", "", None)
    import torch

    device = torch.accelerator.current_accelerator(check_available=True)
    if device:
        torch.use_deterministic_algorithms(True)
        milliseconds = on_accelerator()
        row("train_all_models_accelerator", milliseconds, "ms/preset", "", None)
        row("train_all_models_speed", gflop / milliseconds, "TFLOP/s", "", None)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        {"train": train, "features": extract_features}[sys.argv[1]](int(sys.argv[2]))
        print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, sep="\t")
    else:
        main()
