"""Batches of a training: in which order its items come, and from where."""

import torch
from torch import Tensor

from flowsynth.core.seeding import derive_seed
from flowsynth.data.dataset import Batch, Items


class EpochOrder:
    """A random order of the items that depends on the seed and the epoch and on nothing that happened before.

    Args:
        items: To be ordered.
        seed: Of the training.
        passes: Times as many items that an epoch has (`Model.passes`).
        epoch_items: Items of an epoch of one pass, or None for all there are. Epochs go on where the one before stopped, so
            that each item comes once before any comes again.
    """

    def __init__(self, items: Items, seed: int, passes: int = 1, epoch_items: int | None = None):
        self.items, self.seed, self.passes = items, seed, passes
        self.size = passes * (epoch_items or len(items))

    def rows(self, epoch: int) -> Tensor:
        """Numbers of the items of an epoch, in order."""
        parts, start, end = [], epoch * self.size, (epoch + 1) * self.size
        while start < end:
            number, inside = divmod(start, self.passes * len(self.items))
            generator = torch.Generator().manual_seed(derive_seed(self.seed, "order", number))
            rows = torch.cat([torch.tensor(self.items.order(generator)) for _ in range(self.passes)])
            parts.append(rows[inside : inside + end - start])
            start += len(rows) - inside
        return torch.cat(parts)


class Batches:
    """Batches of items, from the device where all of them fit in memory, else from their files.

    Args:
        items: The items.
        device: Where batches are wanted.
    """

    def __init__(self, items: Items, device: torch.device):
        self.items, self.device = items, device
        self.held = items.all() if items.fits_in_memory() else None
        if self.held and device.type != "cpu":
            self.held = Batch(*(tensor.to(device) for tensor in self.held))

    def place(self, rows: Tensor) -> Tensor:
        """Move the numbers of items to where `take` wants them."""
        return rows.to(self.device) if self.held else rows

    def take(self, rows: Tensor) -> Batch:
        """Give items by their numbers."""
        if self.held:
            return Batch(self.held.mel[rows], self.held.values[rows])
        return Batch(*(tensor.to(self.device) for tensor in self.items.__getitems__(rows.tolist())))
