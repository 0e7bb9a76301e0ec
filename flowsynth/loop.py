"""The loop of a training, on Lightning; stopped at any moment, it goes on and ends with the same weights.

What makes that so: the order of the items and all noise of an epoch come from a seed of that epoch, a checkpoint of
everything is kept at the end of each epoch, and the learning rate is part of it.
"""

import copy
import logging
import math
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.plugins.environments import LightningEnvironment
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, ReduceLROnPlateau
from torch.utils.data import DataLoader, Sampler

from flowsynth import models
from flowsynth.data import Batch, Items, as_is
from flowsynth.plan import Plan
from flowsynth.progress import EVERY, log
from flowsynth.seeds import derive_seed


class EpochOrder(Sampler[int]):
    """A random order of the items that depends on the seed and the epoch and on nothing that happened before.

    Args:
        items: To be ordered.
        seed: Of the training.
        passes: Times as many items that an epoch has (`Model.passes`).
        epoch_items: Items of an epoch of one pass, or None for all there are. Epochs go on where the one before stopped, so
            that each item comes once before any comes again.
    """

    def __init__(self, items: Items, seed: int, passes: int = 1, epoch_items: int | None = None):
        self.items, self.seed, self.passes, self.epoch = items, seed, passes, 0
        self.size = passes * (epoch_items or len(items))

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[int]:
        start, end = self.epoch * self.size, (self.epoch + 1) * self.size
        while start < end:
            number, inside = divmod(start, self.passes * len(self.items))
            generator = torch.Generator().manual_seed(derive_seed(self.seed, "order", number))
            rows = [row for _ in range(self.passes) for row in self.items.order(generator)]
            yield from rows[inside : inside + end - start]
            start += len(rows) - inside


class Training(lightning.LightningModule):
    """The steps of a training; the history of its epochs is part of its checkpoint."""

    def __init__(self, name: str, model: models.Model, plan: Plan, seed: int, order: EpochOrder):
        super().__init__()
        self.name, self.model, self.plan, self.seed, self.order = name, model, plan, seed, order
        self.history: list[dict[str, float]] = []
        self._sums: dict[str, float] = {}
        self._schedule_state: dict | None = None

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam; its rate falls with each step, or after an epoch before the checkpoint of that epoch is written."""
        optimizer = torch.optim.Adam(self.model.parameters(), lr=self.plan.learning_rate, fused=True)
        self._schedule: LRScheduler = (
            CosineAnnealingLR(optimizer, int(self.trainer.estimated_stepping_batches))
            if self.plan.patience is None
            else ReduceLROnPlateau(optimizer, factor=0.5, patience=self.plan.patience)
        )
        if self._schedule_state:
            self._schedule.load_state_dict(self._schedule_state)
        return optimizer

    def on_train_epoch_start(self) -> None:
        """Seed all noise of this epoch and tell the model which it is."""
        torch.manual_seed(derive_seed(self.seed, "noise", self.current_epoch))
        self.model.at_epoch(self.current_epoch, self.plan.epochs)
        self._sums = {}
        self._rate = self.trainer.optimizers[0].param_groups[0]["lr"]

    def training_step(self, batch: Batch, index: int) -> torch.Tensor:
        """One step."""
        return self._losses("train", batch)

    def on_train_batch_end(self, outputs: Any, batch: Batch, index: int) -> None:
        """Lower the rate along the cosine."""
        if not isinstance(self._schedule, ReduceLROnPlateau):
            self._schedule.step()

    def validation_step(self, batch: Batch, index: int) -> None:
        """Losses of a batch of the validation part."""
        self._losses("valid", batch)

    def _losses(self, part: str, batch: Batch) -> torch.Tensor:
        losses = self.model.loss(batch)
        for name, value in losses.items():
            key = f"{part}/{name}"
            self._sums[key] = self._sums.get(key, 0.0) + float(value.detach()) * len(batch.mel)
        self._sums[part] = self._sums.get(part, 0.0) + len(batch.mel)
        if not torch.isfinite(losses["loss"]):
            terms = ", ".join(f"{name} = {value:.4g}" for name, value in losses.items())
            raise FloatingPointError(
                f"{self.name}: the {part} loss in epoch {self.current_epoch} is not finite: {terms}"
            )
        return losses["loss"]

    def on_validation_epoch_end(self) -> None:
        """Sum up the epoch, and lower the rate where what the best epoch is chosen by has stalled."""
        sums = self._sums
        means = {key: value / sums[key.split("/")[0]] for key, value in sums.items() if "/" in key}
        self.history.append({"epoch": self.current_epoch, "learning_rate": self._rate, **means})
        self.log_dict(
            {key: value for key, value in means.items() if math.isfinite(value)} | {"learning_rate": self._rate}
        )
        self.log("selection", self.selections()[-1], logger=False)
        if isinstance(self._schedule, ReduceLROnPlateau) and math.isfinite(self.selections()[-1]):
            self._schedule.step(self.selections()[-1])

    def selections(self) -> list[float]:
        """Give what the best epoch is chosen by, of each epoch so far; infinite where it may not be chosen yet."""
        return [row.get("valid/selection", row["valid/loss"]) for row in self.history]

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        """Keep the history and the state of the learning rate."""
        checkpoint["history"] = list(self.history)
        checkpoint["schedule"] = self._schedule.state_dict()

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        """Take them back. Lightning asks for the first items before it tells the order of the epoch it resumes in."""
        self.history = checkpoint["history"]
        self._schedule_state = checkpoint["schedule"]
        self.order.set_epoch(len(self.history))


class Report(Callback):
    """A line of progress every few seconds."""

    def __init__(self, training: Training):
        self.training, self.start, self.last, self.first = training, 0.0, 0.0, 0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the clock."""
        self.start = self.last = time.monotonic()
        self.first = trainer.current_epoch

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Say where the training is."""
        now, done, epochs = time.monotonic(), trainer.current_epoch + 1, self.training.plan.epochs
        if now - self.last >= EVERY or done == epochs:
            self.last = now
            left = (now - self.start) / (done - self.first) * (epochs - done)
            losses = self.training.selections()
            loss = f"validation loss {losses[-1]:.5f}, best {min(losses):.5f}"
            said = loss if math.isfinite(losses[-1]) else "too early to choose from"
            log.info("%s: epoch %d of %d, %s, %.0f s left", self.training.name, done, epochs, said, left)


def run(
    model: models.Model, train: Items, valid: Items, plan: Plan, seed: int, progress: Path
) -> list[dict[str, float]]:
    """Train a model; it is left with the weights of its best epoch.

    Args:
        model: To train.
        train: The training part.
        valid: The validation part.
        plan: How to train.
        seed: Of the order of the items and of all noise.
        progress: Folder of checkpoints and of curves for TensorBoard; a training that is in it goes on.

    Returns:
        One row an epoch: epoch, learning_rate and the losses of both parts.
    """
    order = EpochOrder(train, seed, model.passes, plan.epoch_items)
    size = plan.batch_size * model.batch
    # a last batch of one item would have no variance for batch normalisation
    odd = len(order) % size == 1
    # a generator of their own, or loaders draw from the one that makes the noise
    own = torch.Generator()
    batches = DataLoader(train, size, sampler=order, collate_fn=as_is, drop_last=odd, generator=own)
    held_out = DataLoader(valid, size, collate_fn=as_is, generator=own)
    each: dict[str, Any] = {"enable_version_counter": False, "save_on_train_epoch_end": True}
    best_epoch = ModelCheckpoint(progress, "best", monitor="selection", **each)
    # of its own: the other one's `save_last` keeps no epoch that is not the best so far
    last_epoch = ModelCheckpoint(progress, "last", **each)
    for logger in ("lightning.pytorch", "lightning.fabric"):  # what devices there are, and advertisements
        logging.getLogger(logger).setLevel(logging.WARNING)
    training = Training(str(progress.parent), model, plan, seed, order)
    last = progress / "last.ckpt"
    with warnings.catch_warnings():
        # this process reads: from memory, or many items at a time
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        # how Lightning asks torch about nested containers
        warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.*")
        # a training is one process and needs no srun, wherever that is installed
        warnings.filterwarnings("ignore", message=".*srun.*")
        warnings.filterwarnings("ignore", message=".*Checkpoint directory .* exists and is not empty.*")
        trainer = lightning.Trainer(
            max_epochs=plan.epochs,
            accelerator=plan.accelerator,
            devices=1,
            precision=plan.precision,
            plugins=[LightningEnvironment()],  # one process, whatever cluster it runs on
            deterministic=True,
            num_sanity_val_steps=0,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[best_epoch, last_epoch, Report(training)],
            logger=TensorBoardLogger(progress, name="", version="tensorboard"),
            log_every_n_steps=len(batches),
        )
        trainer.fit(training, batches, held_out, ckpt_path=last if last.exists() else None, weights_only=True)
    best = torch.load(progress / "best.ckpt", weights_only=True, map_location="cpu")
    weights = {key.removeprefix("model."): value for key, value in best["state_dict"].items()}
    model.cpu().load_state_dict(copy.deepcopy(weights))
    return training.history
