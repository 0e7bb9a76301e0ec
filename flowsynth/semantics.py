"""Semantic pairs from the sound: bright or dark, noisy or pure, moving or constant, sustained or percussive.

The paper's ten pairs are tags that the designers of Diva's presets gave; amsynth's presets have none. Our substitute are
descriptors of the mel spectrogram. A sound has the first word of a pair if its descriptor is in the upper third of the
training part, the second if it is in the lower third; in between it is unknown, as most presets of the paper are for most
pairs. Thresholds come from the training part alone.

References:
    Esling et al. 2019: the pairs, and a semantic dimension in the latent space of a model.
    Peeters et al. 2011, "The Timbre Toolbox": centroid, flatness, flux and temporal centroid.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Mel = Float[Tensor, "items mels frames"]
PerItem = Float[Tensor, " items"]

KNOWN = 1 / 3  # share of the training part that has the one word of a pair, and share that has the other
TINY = 1e-10


def centroid(mel: Mel) -> PerItem:
    """Centre of the power on the axis of mel bands, as a share of it, mean over frames weighted by their power."""
    power = mel.exp()
    place = torch.linspace(0, 1, mel.shape[1], device=mel.device)
    return (power * place[:, None]).sum(dim=(1, 2)) / power.sum(dim=(1, 2))


def flatness(mel: Mel) -> PerItem:
    """Geometric over arithmetic mean of the bands' power, 0 for a tone to 1 for white noise, weighted as the centroid."""
    power = mel.exp()
    frame = mel.mean(dim=1).exp() / (power.mean(dim=1) + TINY)
    weight = power.sum(dim=1)
    return (frame * weight).sum(dim=1) / weight.sum(dim=1)


def flux(mel: Mel) -> PerItem:
    """Change from frame to frame: mean absolute difference of the logarithms, each frame's mean taken away."""
    shape = mel - mel.mean(dim=1, keepdim=True)
    return (shape[:, :, 1:] - shape[:, :, :-1]).abs().mean(dim=(1, 2))


def temporal_centroid(mel: Mel) -> PerItem:
    """Centre of the power in time, as a share of the duration."""
    power = mel.exp().sum(dim=1)
    place = torch.linspace(0, 1, mel.shape[2], device=mel.device)
    return (power * place).sum(dim=1) / power.sum(dim=1)


@dataclass(frozen=True)
class Pair:
    """Two words and the descriptor that tells them apart: a high value is the first, a low one the second."""

    first: str
    second: str
    descriptor: Callable[[Mel], PerItem]

    def thresholds(self, mel: Mel) -> Float[Tensor, "2"]:
        """Limits of the lower and of the upper third of a training part.

        Args:
            mel: Its log-mel spectrograms, not standardised.
        """
        share = torch.tensor([KNOWN, 1 - KNOWN], dtype=mel.dtype, device=mel.device)
        return torch.quantile(self.descriptor(mel), share)

    def tags(self, mel: Mel, thresholds: Float[Tensor, "2"]) -> PerItem:
        """Tag sounds: 1 for the first word, -1 for the second, 0 for unknown.

        Args:
            mel: Log-mel spectrograms, not standardised.
            thresholds: As made by `thresholds`.
        """
        value = self.descriptor(mel)
        return (value > thresholds[1]).to(mel.dtype) - (value < thresholds[0]).to(mel.dtype)


PAIRS = {
    "bright_dark": Pair("bright", "dark", centroid),
    "noisy_pure": Pair("noisy", "pure", flatness),
    "moving_constant": Pair("moving", "constant", flux),
    "sustained_percussive": Pair("sustained", "percussive", temporal_centroid),
}
