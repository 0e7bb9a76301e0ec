"""Order of the training items, and batches from memory or from files."""

import torch
from torch import Tensor

from flowsynth.core.seeding import derive_seed
from flowsynth.data.dataset import Batch, Items


class EpochOrder:
    """Random order of the items, determined by the seed and the epoch alone.

    Args:
        items: Items to order.
        seed: Seed of the training.
        passes: Passes over the items in one epoch (`Model.passes`).
        epoch_items: Number of items in an epoch of one pass, None for all. Each epoch continues where the previous one
            ended, so that no item repeats before all items have been used.
    """

    def __init__(self, items: Items, seed: int, passes: int = 1, epoch_items: int | None = None):
        self.items, self.seed, self.passes = items, seed, passes
        self.size = passes * (epoch_items or len(items))

    def rows(self, epoch: int) -> Tensor:
        """Return the indices of the items of an epoch, in order."""
        pieces, start, end = [], epoch * self.size, (epoch + 1) * self.size
        while start < end:
            cycle, offset = divmod(start, self.passes * len(self.items))
            generator = torch.Generator().manual_seed(derive_seed(self.seed, "order", cycle))
            rows = torch.cat([torch.tensor(self.items.order(generator)) for _ in range(self.passes)])
            pieces.append(rows[offset : offset + end - start])
            start += len(rows) - offset
        return torch.cat(pieces)


class Batches:
    """Batches of items, taken from the device if all items fit in memory, else read from their files.

    Args:
        items: Items to draw batches from.
        device: Device of the batches.
    """

    def __init__(self, items: Items, device: torch.device):
        self.items, self.device = items, device
        self.cached = items.all() if items.fits_in_memory() else None
        if self.cached and device.type != "cpu":
            self.cached = Batch(*(tensor.to(device) for tensor in self.cached))

    def place(self, rows: Tensor) -> Tensor:
        """Move item indices to the device on which `take` uses them."""
        return rows.to(self.device) if self.cached else rows

    def take(self, rows: Tensor) -> Batch:
        """Return the batch of the items with these indices."""
        if self.cached:
            return Batch(self.cached.mel[rows], self.cached.values[rows])
        return Batch(*(tensor.to(self.device) for tensor in self.items.__getitems__(rows.tolist())))
