"""Training steps and the state that a training resumes from.

A training set that fits in memory is kept on the device, and nothing is copied from the device until an epoch ends. On a CUDA
device the step of a capturable model (`Model.capturable`) is captured as a graph and replayed, because launching its kernels
takes longer than running them.
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
from flowsynth.training.accelerator import select_device
from flowsynth.training.batches import Batches
from flowsynth.training.losses import EpochLosses
from flowsynth.training.plan import Plan

EAGER_STEPS = 3  # steps before the capture: the first ones select algorithms and create the optimizer's state
AUTOCAST_DTYPES = {"32-true": None, "bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


class Trainer:
    """Train a model, from the first epoch or from a saved state.

    Args:
        name: Name of the training in messages.
        model: Model to train.
        plan: Training hyper-parameters.
        seed: Seed of all noise.
        steps: Steps per epoch.

    Attributes:
        history: One row per completed epoch.
        best: Weights of the best epoch.
    """

    def __init__(self, name: str, model: models.Model, plan: Plan, seed: int, steps: int):
        self.name, self.model, self.plan, self.seed = name, model, plan, seed
        self.device = select_device(plan.accelerator)
        model.to(self.device)
        self.captures = self.device.type == "cuda" and model.capturable and plan.precision != "16-mixed"
        rate = torch.tensor(plan.learning_rate, device=self.device) if self.captures else plan.learning_rate
        self.optimizer = torch.optim.Adam(model.parameters(), lr=rate, fused=True, capturable=self.captures)
        # schedules the learning rate on the host, without a copy from the device
        self.clock = torch.optim.SGD([torch.zeros(1)], lr=plan.learning_rate)
        self.schedule: LRScheduler = (
            CosineAnnealingLR(self.clock, steps * plan.epochs)
            if plan.patience is None
            else ReduceLROnPlateau(self.clock, factor=0.5, patience=plan.patience)
        )
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=plan.precision == "16-mixed")
        self.history: list[dict[str, float]] = []
        self.best: dict[str, Tensor] = {}
        self._graph: Any = None
        self._eager_steps = 0
        self._settings: dict[str, Any] = {}

    def state(self) -> dict[str, Any]:
        """Return the state that a training resumes from."""
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
        """Restore a state."""
        self.history, self.best = state["history"], state["best"]
        for name in ("model", "optimizer", "clock", "schedule", "scaler"):
            getattr(self, name).load_state_dict(state[name])

    @contextmanager
    def cuda_stream(self) -> Iterator[None]:
        """Compute on a separate CUDA stream if steps are captured, as graphs cannot be captured on the default stream."""
        if not self.captures:
            yield
            return
        stream = torch.cuda.Stream(self.device)
        stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(stream):
            yield
        torch.cuda.current_stream(self.device).wait_stream(stream)

    def run_epoch(self, train: Batches, valid: Batches, rows: Tensor, size: int) -> None:
        """Train for an epoch, validate, and update history, best weights and learning rate.

        Args:
            train: Training set.
            valid: Validation set.
            rows: Indices of the training items, in order.
            size: Items per batch.
        """
        epoch, rate = len(self.history), self.clock.param_groups[0]["lr"]
        losses = self.train_epoch(train, rows, size) | self.validate(valid, size)
        self.history.append({"epoch": epoch, "learning_rate": rate, **losses})
        *previous, current = self.selection_losses()
        if isinstance(self.schedule, ReduceLROnPlateau) and math.isfinite(current):
            self.schedule.step(current)
        if not previous or current < min(previous):
            self.best = {name: value.clone() for name, value in self.model.state_dict().items()}

    def train_epoch(self, batches: Batches, rows: Tensor, size: int) -> dict[str, float]:
        """Train for an epoch and return the mean losses.

        Args:
            batches: Training set.
            rows: Indices of the training items, in order.
            size: Items per batch.
        """
        epoch = len(self.history)
        torch.manual_seed(derive_seed(self.seed, "noise", epoch))
        self.model.train()
        self.model.at_epoch(epoch, self.plan.epochs)
        parts = batches.place(rows).split(size)
        settings = {name: value for name, value in vars(self.model).items() if isinstance(value, (int, float, str))}
        if settings != self._settings:  # a graph keeps the numbers it was captured with
            self._graph, self._eager_steps, self._settings = None, 0, settings
        epoch_losses = self._epoch_losses("train", len(parts))
        for step, part in enumerate(parts):
            self._set_rate()
            if self.captures and batches.cached and len(part) == size and self._eager_steps >= EAGER_STEPS:
                epoch_losses.add(step, self._replay(batches, part), len(part))
            else:
                losses = self._losses(batches.take(part))
                epoch_losses.add(step, losses, len(part))
                self._update(losses["loss"])
                self._eager_steps += 1
            if not isinstance(self.schedule, ReduceLROnPlateau):
                self.clock.step()
                self.schedule.step()
        return epoch_losses.means()

    @torch.no_grad()
    def validate(self, batches: Batches, size: int) -> dict[str, float]:
        """Return the mean losses of the validation set."""
        self.model.eval()
        parts = batches.place(torch.arange(len(batches.items))).split(size)
        epoch_losses = self._epoch_losses("valid", len(parts))
        for step, part in enumerate(parts):
            epoch_losses.add(step, self._losses(batches.take(part)), len(part))
        return epoch_losses.means()

    def selection_losses(self) -> list[float]:
        """Return the loss by which the best epoch is selected, per epoch; infinite during a warm-up."""
        return [row.get("valid/selection", row["valid/loss"]) for row in self.history]

    def _epoch_losses(self, part: str, steps: int) -> EpochLosses:
        return EpochLosses(f"{self.name}: the {part} loss in epoch {len(self.history)}", part, steps)

    def _set_rate(self) -> None:
        rate = self.clock.param_groups[0]["lr"]
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        with lower_precision(AUTOCAST_DTYPES[self.plan.precision]):
            return self.model.loss(batch)

    def _update(self, loss: Tensor) -> None:
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def _replay(self, batches: Batches, part: Tensor) -> dict[str, Tensor]:
        """Run a step as a graph, captured at the first call; it reads the item indices from a fixed tensor."""
        if self._graph is None:
            self._rows, self._graph = part.clone(), torch.cuda.CUDAGraph()
            self.optimizer.zero_grad()
            with torch.cuda.graph(self._graph, stream=torch.cuda.current_stream()):
                self._graph_losses = self._losses(batches.take(self._rows))
                self._update(self._graph_losses["loss"])
        self._rows.copy_(part)
        self._graph.replay()
        return self._graph_losses
