"""Training: the loop against a bare one on the same network, and features from files against those in memory."""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from report import row
from synthetic import NAMES, write

from flowsynth.data.dataset import BLOCK, Items
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.training import loop
from flowsynth.training.config import Plan

ROUNDS, TRAIN, VALID, EPOCHS = 5, 2048, 256, 2
SIZE = Size(layers=5, channels=16, kernel=5, mlp_layers=3, units=256, dropout=0.0)  # of the budget `quick`
PLAN = Plan(EPOCHS, 32, 0.002, 2, 1, "cpu", "32-true")


def model(items: Items) -> models.Model:
    torch.manual_seed(0)
    made = models.find("cnn")(*items.shape, len(items.names), SIZE)
    made.calibrate(items.head())
    return made


def bare(train: Items, valid: Items) -> float:
    """Seconds of the same steps, without checkpoints and curves."""
    network = model(train)
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


def ours(train: Items, valid: Items) -> float:
    """Seconds of a training, start and checkpoints included."""
    network = model(train)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        loop.run(network, train, valid, PLAN, 0, Path(folder))
        return time.perf_counter() - start


def unevenness() -> float:
    """Variance of the means of batches over that of a full shuffle, of a value that grows along the files."""
    total, window, batch = 100_000, 20_000, 64
    items = object.__new__(Items)
    items.ids, items.window, items._cache = range(total), window, None
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
        held = Items([path], ids[:TRAIN], NAMES)
        streamed = Items([path], ids[:TRAIN], NAMES, window=TRAIN // 4)
        valid = Items([path], ids[TRAIN:], NAMES)
        ways = {
            "bare": lambda: bare(held, valid),
            "ours": lambda: ours(held, valid),
            "streamed": lambda: ours(streamed, valid),
        }
        taken = {name: [] for name in ways}
        ours(held, valid)  # imports, and fills the caches
        for _ in range(ROUNDS):
            for name, way in ways.items():
                taken[name].append(way() / EPOCHS)
    middle = {name: statistics.median(times) for name, times in taken.items()}

    def ratio(name: str, baseline: str) -> float:
        return statistics.median(a / b for a, b in zip(taken[name], taken[baseline], strict=True))

    row("train_bare_loop", middle["bare"], "s/epoch", "", None)
    row("train_loop", middle["ours"], "s/epoch", "train_bare_loop", ratio("ours", "bare"))
    row("train_streamed", middle["streamed"], "s/epoch", "train_loop", ratio("streamed", "ours"))
    row(f"shuffle_in_blocks_of_{BLOCK}", unevenness(), "variance of batches", "full shuffle", unevenness())


if __name__ == "__main__":
    main()
