"""Semantic pairs from the sound: bright or dark, noisy or pure, moving or constant, sustained or percussive.

The paper's ten pairs are tags that the designers of Diva's presets gave; amsynth's presets have none. Our substitute are
descriptors of the mel spectrogram. A sound has the first word of a pair if its descriptor is in the upper third of the
training part, the second if it is in the lower third; in between it is unknown, as most presets of the paper are for most
pairs. Thresholds come from the training part alone.

Names that people gave their presets tell a word too, if few do: a pad is sustained, a pluck percussive, a bass dark. They are
not used in training; `agreement` says how often the sound agrees with them. Names of banks say nothing but who made them.

References:
    Esling et al. 2019: the pairs, and a semantic dimension in the latent space of a model.
    Peeters et al. 2011, "The Timbre Toolbox": centroid, flatness, flux and temporal centroid.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
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
    """Two words and the descriptor that tells them apart: a high value is the first, a low one the second.

    Attributes:
        first: Word.
        second: Its opposite.
        descriptor: Of log-mel spectrograms that are not standardised.
        first_names: What is part of the names of presets that are `first`.
        second_names: What is part of the names of presets that are `second`.
    """

    first: str
    second: str
    descriptor: Callable[[Mel], PerItem]
    first_names: tuple[str, ...] = ()
    second_names: tuple[str, ...] = ()

    def named(self, name: str) -> int:
        """Tag a preset by its name: 1 for the first word, -1 for the second, 0 if the name tells neither or both."""
        said = [any(part in name.lower() for part in parts) for parts in (self.first_names, self.second_names)]
        return int(said[0]) - int(said[1])

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
    "bright_dark": Pair("bright", "dark", centroid, ("bright", "bell", "glass"), ("dark", "bass", "sub")),
    "noisy_pure": Pair("noisy", "pure", flatness, ("noise", "wind", "drum", "snare"), ("sine", "flute", "whistle")),
    "moving_constant": Pair(
        "moving", "constant", flux, ("wah", "sweep", "seq", "helicopter"), ("organ", "accord", "pipe")
    ),
    "sustained_percussive": Pair(
        "sustained",
        "percussive",
        temporal_centroid,
        ("pad", "organ", "string", "swell", "choir", "drone", "brass", "horn"),
        ("pluck", "perc", "drum", "bell", "piano", "stab", "harp", "clav", "marimba"),
    ),
}


def agreement(train: Mel, heard: Mel, names: Sequence[str]) -> pd.DataFrame:
    """Compare the tags from sounds with those from names.

    Args:
        train: Log-mel spectrograms of the training part, not standardised; thresholds are theirs.
        heard: Those of the presets to tag.
        names: Of the presets to tag.

    Returns:
        Columns pair, word, lower and upper (thresholds), tagged (presets whose sound has the word), named (presets whose
        name tells it), known (of these: presets whose sound has either word), agree (share of these that have this one).
    """
    rows = []
    for key, pair in PAIRS.items():
        limits = pair.thresholds(train)
        by_sound = pair.tags(heard, limits).int().tolist()
        by_name = [pair.named(name) for name in names]
        for tag, word in ((1, pair.first), (-1, pair.second)):
            named = [sound for sound, name in zip(by_sound, by_name, strict=True) if name == tag]
            known = [sound for sound in named if sound]
            agree = sum(sound == tag for sound in known) / len(known) if known else None
            rows.append((key, word, *limits.tolist(), by_sound.count(tag), len(named), len(known), agree))
    return pd.DataFrame(rows, columns=["pair", "word", "lower", "upper", "tagged", "named", "known", "agree"])
