"""Resumable training loop: a training interrupted at any moment ends with the same weights.

The item order and all noise of an epoch are derived from a seed of that epoch, and the complete training state, including
the learning rate, is saved at the end of an epoch.
"""

import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.utils.tensorboard import SummaryWriter

from flowsynth.core.disk_space import full_disk_as_one_error, is_full
from flowsynth.core.progress import LOG_INTERVAL, log
from flowsynth.core.provenance import atomic_write
from flowsynth.data.dataset import Items
from flowsynth.models import base as models
from flowsynth.training.batches import Batches, EpochOrder
from flowsynth.training.checkpoints import read_tensors
from flowsynth.training.plan import Plan
from flowsynth.training.trainer import Trainer

CHECKPOINT_TIME_SHARE = 0.05  # maximum share of the training time spent on saving: large networks take long to save


def run(
    model: models.Model, train: Items, valid: Items, plan: Plan, seed: int, progress: Path
) -> list[dict[str, float]]:
    """Train a model and leave it on the CPU with the weights of its best epoch.

    Args:
        model: Model to train.
        train: Training set.
        valid: Validation set.
        plan: Training hyper-parameters.
        seed: Seed of the item order and of all noise.
        progress: Folder of the training state and the TensorBoard curves; a training stored there is resumed.

    Returns:
        One row per epoch: epoch, learning_rate, and the training and validation losses.

    Raises:
        FloatingPointError: If a loss is not finite.
    """
    order, size = EpochOrder(train, seed, model.passes, plan.epoch_items), plan.batch_size * model.batch_factor
    # batch normalisation needs more than one item: drop a last batch of one
    item_count = order.size - (order.size % size == 1)
    trainer = Trainer(str(progress.parent), model, plan, seed, -(-item_count // size))
    last = progress / "last.ckpt"
    if last.exists():
        trainer.load(read_tensors(last, trainer.device))
    train_batches, valid_batches = Batches(train, trainer.device), Batches(valid, trainer.device)
    started = reported = (time.monotonic(), len(trainer.history))
    saved_at, saving_time = started[0], 0.0
    with (
        _deterministic(),
        trainer.cuda_stream(),
        full_disk_as_one_error(progress),
        _curves(progress / "tensorboard", len(trainer.history)) as curves,
    ):
        while len(trainer.history) < plan.epochs:
            rows = order.rows(len(trainer.history))[:item_count]
            trainer.run_epoch(train_batches, valid_batches, rows, size)
            if time.monotonic() - saved_at >= saving_time / CHECKPOINT_TIME_SHARE:
                start = time.monotonic()
                with atomic_write(last) as temporary, temporary.open("wb") as file:
                    torch.save(trainer.state(), file)
                saved_at, saving_time = time.monotonic(), time.monotonic() - start
            row = trainer.history[-1]
            for name in sorted(row.keys() - {"epoch"}):
                if math.isfinite(row[name]):
                    curves.add_scalar(name, row[name], row["epoch"])
            reported = _report(trainer, started, reported)
    model.load_state_dict(trainer.best)
    model.cpu()
    return trainer.history


@contextmanager
def _curves(folder: Path, epoch: int) -> Iterator[SummaryWriter]:
    """Write TensorBoard's curves from an epoch on. Its thread leaves a full disk to the next call, which raises the error."""
    hook = threading.excepthook
    threading.excepthook = lambda error: None if is_full(error.exc_value) else hook(error)
    try:
        with SummaryWriter(folder, purge_step=epoch) as curves:
            yield curves
    finally:
        threading.excepthook = hook


@contextmanager
def _deterministic() -> Iterator[None]:
    """Restrict torch to deterministic algorithms."""
    previous = torch.are_deterministic_algorithms_enabled()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(previous)


def _report(trainer: Trainer, started: tuple[float, int], last: tuple[float, int]) -> tuple[float, int]:
    """Log the progress every few seconds and at the end; `started` and `last` are pairs of a time and an epoch."""
    now, done, epochs = time.monotonic(), len(trainer.history), trainer.plan.epochs
    if now - last[0] < LOG_INTERVAL and done < epochs:
        return last
    left = (now - started[0]) / (done - started[1]) * (epochs - done)
    losses = trainer.selection_losses()
    loss = f"validation loss {losses[-1]:.5f}, best {min(losses):.5f}"
    status = loss if math.isfinite(losses[-1]) else "warm-up"
    log.info("%s: epoch %d of %d, %s, %.0f s left", trainer.name, done, epochs, status, left)
    return now, done
