"""The loop of a training; stopped at any moment, it goes on and ends with the same weights.

What makes that so: the order of the items and all noise of an epoch come from a seed of that epoch, a checkpoint of
everything is kept at the end of an epoch, and the learning rate is part of it.
"""

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.utils.tensorboard import SummaryWriter

from flowsynth.core.progress import EVERY, log
from flowsynth.core.provenance import atomic_write
from flowsynth.data.dataset import Items
from flowsynth.models import base as models
from flowsynth.training.batches import Batches, EpochOrder
from flowsynth.training.config import Plan
from flowsynth.training.trainer import Training

SAVING = 0.05  # of the time of a training, for its checkpoints: those of large networks take as long as some epochs


def run(
    model: models.Model, train: Items, valid: Items, plan: Plan, seed: int, progress: Path
) -> list[dict[str, float]]:
    """Train a model; it is left with the weights of its best epoch, on the CPU.

    Args:
        model: To train.
        train: The training part.
        valid: The validation part.
        plan: How to train.
        seed: Of the order of the items and of all noise.
        progress: Folder of checkpoints and of curves for TensorBoard; a training that is in it goes on.

    Returns:
        One row an epoch: epoch, learning_rate and the losses of both parts.

    Raises:
        FloatingPointError: If a loss is not finite.
    """
    order, size = EpochOrder(train, seed, model.passes, plan.epoch_items), plan.batch_size * model.batch_factor
    # a last batch of one item would have no variance for batch normalisation
    used = order.size - (order.size % size == 1)
    training = Training(str(progress.parent), model, plan, seed, -(-used // size))
    last = progress / "last.ckpt"
    if last.exists():
        training.load(torch.load(last, weights_only=True, map_location=training.device))
    trained, held_out = Batches(train, training.device), Batches(valid, training.device)
    started = reported = (time.monotonic(), len(training.history))
    saved, saving = started[0], 0.0  # when, and seconds that it took
    with (
        _reproducible(),
        training.on_its_stream(),
        SummaryWriter(progress / "tensorboard", purge_step=len(training.history)) as curves,
    ):
        while len(training.history) < plan.epochs:
            rows = order.rows(len(training.history))[:used]
            training.one_epoch(trained, held_out, rows, size)
            if time.monotonic() - saved >= saving / SAVING:
                start = time.monotonic()
                with atomic_write(last) as temporary, temporary.open("wb") as file:
                    torch.save(training.state(), file)
                saved, saving = time.monotonic(), time.monotonic() - start
            row = training.history[-1]
            for name in sorted(row.keys() - {"epoch"}):
                if math.isfinite(row[name]):
                    curves.add_scalar(name, row[name], row["epoch"])
            reported = _report(training, started, reported)
    model.load_state_dict(training.best)
    model.cpu()
    return training.history


@contextmanager
def _reproducible() -> Iterator[None]:
    """Have torch use deterministic algorithms alone."""
    before = torch.are_deterministic_algorithms_enabled()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def _report(training: Training, started: tuple[float, int], last: tuple[float, int]) -> tuple[float, int]:
    """Log where the training is, every few seconds and at the end; both times are given with their epochs."""
    now, done, epochs = time.monotonic(), len(training.history), training.plan.epochs
    if now - last[0] < EVERY and done < epochs:
        return last
    left = (now - started[0]) / (done - started[1]) * (epochs - done)
    losses = training.selections()
    loss = f"validation loss {losses[-1]:.5f}, best {min(losses):.5f}"
    said = loss if math.isfinite(losses[-1]) else "too early to choose from"
    log.info("%s: epoch %d of %d, %s, %.0f s left", training.name, done, epochs, said, left)
    return now, done
