"""Training time; baselines: a bare loop with the same network, features in memory, and splines differentiated by torch."""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from report import row
from synthetic import NAMES, SPACE, write
from torch import Tensor
from torch.distributions import Transform
from zuko.transforms import MonotonicRQSTransform

from flowsynth.data.dataset import BLOCK, Items
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.spline import Spline
from flowsynth.models.nn.transforms import OUTPUT_SCALE, SPLINE
from flowsynth.training import loop
from flowsynth.training.plan import Plan

ROUNDS, TRAIN, VALID, EPOCHS = 5, 2048, 256, 2
SIZE = Size(layers=5, channels=16, kernel=5, mlp_layers=3, units=256, dropout=0.0)  # as in the budget `quick`
PLAN = Plan(EPOCHS, 32, 0.002, 2, 1, "cpu", "32-true")


class DifferentiatedSpline(MonotonicRQSTransform):
    """The same spline with the operators of zuko and automatic differentiation."""

    def __init__(self, widths: Tensor, heights: Tensor, slopes: Tensor):
        Transform.__init__(self)
        spline = Spline(OUTPUT_SCALE * widths, OUTPUT_SCALE * heights, OUTPUT_SCALE * slopes)
        self.horizontal, self.vertical, self.derivatives = spline.knots.unbind(-2)


def make_model(items: Items, name: str = "cnn") -> models.Model:
    torch.manual_seed(0)
    mels, frames = items.shape
    model = models.find(name)(mels, frames, SPACE, SIZE)
    model.calibrate(items.head())
    return model


def run_bare(train: Items, valid: Items) -> float:
    """Measure the seconds of the same steps without checkpoints and curves."""
    network = make_model(train)
    start = time.perf_counter()
    optimizer = torch.optim.Adam(network.parameters(), lr=PLAN.learning_rate, fused=True)
    for epoch in range(EPOCHS):
        network.train()
        for rows in torch.tensor(train.order(torch.Generator().manual_seed(epoch))).split(PLAN.batch_size):
            optimizer.zero_grad()
            network.loss(train.__getitems__(rows.tolist()))["loss"].backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            for rows in torch.arange(len(valid)).split(PLAN.batch_size):
                network.loss(valid.__getitems__(rows.tolist()))
    return time.perf_counter() - start


def run_loop(train: Items, valid: Items) -> float:
    """Measure the seconds of a training, including start and checkpoints."""
    network = make_model(train)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        loop.run(network, train, valid, PLAN, 0, Path(folder))
        return time.perf_counter() - start


def run_steps(model: models.Model, items: Items, steps: int = 10) -> float:
    """Measure the seconds of a training step."""
    optimizer = torch.optim.Adam(model.parameters(), lr=PLAN.learning_rate, fused=True)
    batch = items.__getitems__(list(range(PLAN.batch_size)))
    start = time.perf_counter()
    for _ in range(steps):
        optimizer.zero_grad()
        model.loss(batch)["loss"].backward()
        optimizer.step()
    return (time.perf_counter() - start) / steps


def flow_steps(items: Items) -> tuple[list[float], list[float]]:
    """Measure the seconds of a step of a flow with both splines, in alternation."""
    model = make_model(items, "flow_reg")
    times: tuple[list[float], list[float]] = ([], [])
    splines = [module for module in model.modules() if getattr(module, "univariate", None) is SPLINE["univariate"]]
    for _ in range(ROUNDS):
        for seconds, univariate in zip(times, (SPLINE["univariate"], DifferentiatedSpline), strict=True):
            for module in splines:
                module.univariate = univariate
            run_steps(model, items, 1)
            seconds.append(run_steps(model, items))
    return times


def shuffle_variance() -> float:
    """Compute the variance of batch means relative to a full shuffle, for a value that grows along the files."""
    total, window, batch = 100_000, 20_000, 64
    items = object.__new__(Items)
    items.ids, items.window, items._cache = [""] * total, window, None
    orders = [items.order(torch.Generator().manual_seed(seed)) for seed in range(5)]
    full = [np.random.default_rng(seed).permutation(total) for seed in range(5)]

    def variance(rows: list) -> float:
        return float(
            np.mean([np.asarray(r)[: total // batch * batch].reshape(-1, batch).mean(axis=1).var() for r in rows])
        )

    return variance(orders) / variance(full)


def main() -> None:
    torch.set_num_threads(PLAN.threads)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.h5"
        ids = write(path, TRAIN + VALID)
        in_memory = Items([path], ids[:TRAIN], NAMES)
        streamed = Items([path], ids[:TRAIN], NAMES, window=TRAIN // 4)
        valid = Items([path], ids[TRAIN:], NAMES)
        actions = {
            "bare": lambda: run_bare(in_memory, valid),
            "loop": lambda: run_loop(in_memory, valid),
            "streamed": lambda: run_loop(streamed, valid),
        }
        times: dict[str, list[float]] = {name: [] for name in actions}
        run_loop(in_memory, valid)  # imports modules and fills caches
        for _ in range(ROUNDS):
            for name, action in actions.items():
                times[name].append(action() / EPOCHS)
        closed, differentiated = flow_steps(in_memory)
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}

    def ratio(name: str, baseline: str) -> float:
        return statistics.median(a / b for a, b in zip(times[name], times[baseline], strict=True))

    row("train_bare_loop", medians["bare"], "s/epoch", "", None)
    row("train_loop", medians["loop"], "s/epoch", "train_bare_loop", ratio("loop", "bare"))
    row("train_streamed", medians["streamed"], "s/epoch", "train_loop", ratio("streamed", "loop"))
    ratio_of_splines = statistics.median(b / a for a, b in zip(closed, differentiated, strict=True))
    row("train_flow_step", statistics.median(closed), "s", "splines differentiated by torch", ratio_of_splines)
    variance = shuffle_variance()
    row(f"shuffle_in_blocks_of_{BLOCK}", variance, "variance of batches", "full shuffle", variance)


if __name__ == "__main__":
    main()
