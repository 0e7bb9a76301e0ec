"""Control: the closest training preset and chance moves around it, for who may listen to several answers."""

import torch
from jaxtyping import Float
from torch import Tensor

from flowsynth.models.base import Control
from flowsynth.models.controls.nearest import Nearest

SPREAD = 0.05  # standard deviation of a move, of parameters in [0, 1]; search begins with the same


class Perturbed(Nearest, Control):
    """Answers with the closest preset first, then with it moved by Gaussian noise, cut off at 0 and 1."""

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Look up the closest sounds, and move their presets; with the same noise for all sounds."""
        closest = super().infer(mel, 1)
        noise = SPREAD * torch.randn(n, 1, self.values.shape[1], device=mel.device)
        noise[0] = 0
        return (closest + noise).clamp(0, 1)
