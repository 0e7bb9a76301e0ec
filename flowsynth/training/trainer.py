"""The steps of a training, and all that it goes on from.

Where the training part fits in memory it is kept on the device, and nothing is copied from there until an epoch ends. On a
CUDA device the step of a model that allows it (`Model.capturable`) is captured as a graph and replayed, as its kernels take
less time than their launches.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, ReduceLROnPlateau

from flowsynth.core.seeding import derive_seed
from flowsynth.data.dataset import Batch
from flowsynth.models import base as models
from flowsynth.models.nn.networks import lower_precision
from flowsynth.training.accelerator import device_of
from flowsynth.training.batches import Batches
from flowsynth.training.config import Plan
from flowsynth.training.losses import Record

EAGER = 3  # steps before one is captured: the first ones choose algorithms and make the optimizer's state
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

    @contextmanager
    def on_its_stream(self) -> Iterator[None]:
        """Compute on a CUDA stream of its own, where graphs can be captured, if any are."""
        if not self.captures:
            yield
            return
        stream = torch.cuda.Stream(self.device)
        stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(stream):
            yield
        torch.cuda.current_stream(self.device).wait_stream(stream)

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
