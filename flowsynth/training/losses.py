"""Losses of the steps of an epoch, accumulated on their device."""

import math

import numpy as np
import torch
from torch import Tensor


class EpochLosses:
    """Losses of the steps of an epoch, copied from their device only when the means are computed.

    Args:
        description: Description of the loss in error messages.
        part: ``train`` or ``valid``, the prefix of the names.
        steps: Number of steps.
    """

    def __init__(self, description: str, part: str, steps: int):
        self.description, self.part, self.sizes = description, part, np.zeros(steps)
        self.names: list[str] = []
        self.values = torch.zeros(0)

    def add(self, step: int, losses: dict[str, Tensor], size: int) -> None:
        """Store the losses of a batch of `size` items."""
        if not self.names:
            self.names = list(losses)
            self.values = torch.zeros(len(self.sizes), len(losses), device=losses["loss"].device)
        self.sizes[step] = size
        torch.stack([losses[name].detach().float() for name in self.names], out=self.values[step])
        if self.values.device.type == "cpu":
            self._require_finite(step, self.values[step].tolist())

    def means(self) -> dict[str, float]:
        """Return the means over the items."""
        values = self.values.cpu().double().numpy()
        for step, row in enumerate(values.tolist()):
            self._require_finite(step, row)
        sums, items = np.cumsum(values * self.sizes[:, None], axis=0)[-1].tolist(), float(self.sizes.sum())
        return {f"{self.part}/{name}": total / items for name, total in zip(self.names, sums, strict=True)}

    def _require_finite(self, step: int, row: list[float]) -> None:
        losses = dict(zip(self.names, row, strict=True))
        if not math.isfinite(losses["loss"]):
            terms = ", ".join(f"{name} = {value:.4g}" for name, value in losses.items())
            raise FloatingPointError(f"{self.description} is not finite: {terms} (step {step})")
