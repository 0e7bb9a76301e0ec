"""Control: the nearest neighbour and random perturbations of it, to choose the best of N from."""

import torch
from jaxtyping import Float
from torch import Tensor

from flowsynth.models.controls.nearest import Nearest

NOISE_STD = 0.05  # standard deviation of the perturbation of parameters in [0, 1], as at the start of CMA-ES


class Perturbed(Nearest):
    """Predicts the nearest neighbour first, then the same preset with Gaussian noise, clamped to [0, 1]."""

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Look up the closest sounds and perturb their presets, with the same noise for all sounds."""
        closest = super().infer(mel, 1)
        noise = NOISE_STD * torch.randn(n, 1, self.values.shape[1], device=mel.device)
        noise[0] = 0
        return (closest + noise).clamp(0, 1)
