"""The loop of a training; stopped at any moment, it goes on and ends with the same weights.

What makes that so: the order of the items and all noise of an epoch come from a seed of that epoch, a checkpoint of
everything is kept at the end of each epoch, and the learning rate is part of it.

Where the training part fits in memory it is kept on the device, and nothing is copied from there until an epoch ends. On a
CUDA device the step of a model that allows it (`Model.capturable`) is captured once as a graph and replayed, as its
kernels take less time than their launches.
"""

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, ReduceLROnPlateau
from torch.utils.tensorboard import SummaryWriter

from flowsynth import models
from flowsynth.accelerator import device_of
from flowsynth.batches import Batches, EpochOrder
from flowsynth.data import Batch, Items
from flowsynth.losses import Record
from flowsynth.networks import lower_precision
from flowsynth.plan import Plan
from flowsynth.progress import EVERY, log
from flowsynth.provenance import replacing
from flowsynth.seeds import derive_seed

EAGER = 3  # steps before one is captured: the first ones choose algorithms and make the optimizer's state
SAVING = 0.05  # of the time of a training, for its checkpoints: those of large networks take as long as some epochs
PRECISION = {"32-true": None, "bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


class Training:
    """A training, from its first epoch or from where it was stopped.

    Args:
        name: In messages.
        model: To train.
        plan: How to train.
        seed: Of all noise.
        steps: In an epoch.
    """

    def __init__(self, name: str, model: models.Model, plan: Plan, seed: int, steps: int):
        self.name, self.model, self.plan, self.seed = name, model, plan, seed
        self.device = device_of(plan.accelerator)
        model.to(self.device)
        self.captures = self.device.type == "cuda" and model.capturable and plan.precision != "16-mixed"
        rate = torch.tensor(plan.learning_rate, device=self.device) if self.captures else plan.learning_rate
        self.optimizer = torch.optim.Adam(model.parameters(), lr=rate, fused=True, capturable=self.captures)
        # the rate is planned on the host, without a copy from the device
        self.clock = torch.optim.SGD([torch.zeros(1)], lr=plan.learning_rate)
        self.schedule: LRScheduler = (
            CosineAnnealingLR(self.clock, steps * plan.epochs)
            if plan.patience is None
            else ReduceLROnPlateau(self.clock, factor=0.5, patience=plan.patience)
        )
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=plan.precision == "16-mixed")
        self.history: list[dict[str, float]] = []
        self.terms: list[str] = []  # names of what `Model.loss` gives
        self.best: dict[str, Tensor] = {}  # weights of the best epoch
        self._graph: Any = None
        self._taken = 0  # steps without a graph
        self._settings: dict[str, Any] = {}

    def state(self) -> dict[str, Any]:
        """Give all that a training goes on from."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "clock": self.clock.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "history": self.history,
            "best": self.best,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.history, self.best = state["history"], state["best"]
        for name in ("model", "optimizer", "clock", "schedule", "scaler"):
            getattr(self, name).load_state_dict(state[name])

    def one_epoch(self, train: Batches, valid: Batches, rows: Tensor, size: int) -> None:
        """Train for an epoch, add it to the history, and lower the rate where what is chosen by has stalled.

        Args:
            train: The training part.
            valid: The validation part.
            rows: Numbers of the items of the training part, in order.
            size: Items in a batch.
        """
        epoch, rate = len(self.history), self.clock.param_groups[0]["lr"]
        losses = self.epoch(train, rows, size) | self.validate(valid, size)
        self.history.append({"epoch": epoch, "learning_rate": rate, **losses})
        *before, now = self.selections()
        if isinstance(self.schedule, ReduceLROnPlateau) and math.isfinite(now):
            self.schedule.step(now)
        if not before or now < min(before):
            self.best = {name: value.clone() for name, value in self.model.state_dict().items()}

    def epoch(self, batches: Batches, rows: Tensor, size: int) -> dict[str, float]:
        """Train for an epoch and give the means of the losses.

        Args:
            batches: The training part.
            rows: Numbers of its items, in order.
            size: Items in a batch.
        """
        epoch = len(self.history)
        torch.manual_seed(derive_seed(self.seed, "noise", epoch))
        self.model.train()
        self.model.at_epoch(epoch, self.plan.epochs)
        parts = batches.place(rows).split(size)
        settings = {name: value for name, value in vars(self.model).items() if isinstance(value, (int, float, str))}
        if settings != self._settings:  # a graph keeps the numbers of when it was captured
            self._graph, self._taken, self._settings = None, 0, settings
        record = self._record("train", len(parts))
        for number, part in enumerate(parts):
            self._set_rate()
            if self.captures and batches.held and len(part) == size and self._taken >= EAGER:
                record.keep(number, self._replay(batches, part), len(part))
            else:
                losses = self._losses(batches.take(part))
                record.keep(number, losses, len(part))
                self._learn(losses["loss"])
                self._taken += 1
            if not isinstance(self.schedule, ReduceLROnPlateau):
                self.clock.step()
                self.schedule.step()
        return record.means()

    @torch.no_grad()
    def validate(self, batches: Batches, size: int) -> dict[str, float]:
        """Give the means of the losses of the validation part."""
        self.model.eval()
        parts = batches.place(torch.arange(len(batches.items))).split(size)
        record = self._record("valid", len(parts))
        for number, part in enumerate(parts):
            record.keep(number, self._losses(batches.take(part)), len(part))
        return record.means()

    def selections(self) -> list[float]:
        """Give what the best epoch is chosen by, of each epoch so far; infinite where it may not be chosen yet."""
        return [row.get("valid/selection", row["valid/loss"]) for row in self.history]

    def _record(self, part: str, steps: int) -> "Record":
        return Record(f"{self.name}: the {part} loss in epoch {len(self.history)}", part, steps)

    def _set_rate(self) -> None:
        rate = self.clock.param_groups[0]["lr"]
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        with lower_precision(PRECISION[self.plan.precision]):
            return self.model.loss(batch)

    def _learn(self, loss: Tensor) -> None:
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def _replay(self, batches: Batches, part: Tensor) -> dict[str, Tensor]:
        """Take a step as a graph, which is captured the first time: it reads its items' numbers from one place."""
        if self._graph is None:
            self._rows, self._graph = part.clone(), torch.cuda.CUDAGraph()
            self.optimizer.zero_grad()
            with torch.cuda.graph(self._graph, stream=torch.cuda.current_stream()):
                self._given = self._losses(batches.take(self._rows))
                self._learn(self._given["loss"])
        self._rows.copy_(part)
        self._graph.replay()
        return self._given


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
    order, size = EpochOrder(train, seed, model.passes, plan.epoch_items), plan.batch_size
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
        SummaryWriter(progress / "tensorboard", purge_step=len(training.history)) as curves,
    ):
        while len(training.history) < plan.epochs:
            rows = order.rows(len(training.history))[:used]
            training.one_epoch(trained, held_out, rows, size)
            if time.monotonic() - saved >= saving / SAVING:
                start = time.monotonic()
                with replacing(last) as temporary, temporary.open("wb") as file:
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
