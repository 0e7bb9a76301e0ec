"""Semantic pairs derived from the sound: bright/dark, noisy/pure, moving/constant, sustained/percussive.

The paper's ten pairs are tags by the designers of Diva's presets; amsynth's presets have none. Descriptors of the mel
spectrogram serve as a substitute. A sound has the first word of a pair if its descriptor lies in the upper third of the
training set and the second word if it lies in the lower third; otherwise its tag is unknown, as for most presets and
pairs of the paper. Thresholds are computed from the training set only.

Some preset names imply a word: a pad is sustained, a pluck percussive, a bass dark. They are not used in training;
`agreement` measures how often they agree with the tags derived from the sound.

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

TAGGED_SHARE = 1 / 3  # share of the training set tagged with each word of a pair
EPSILON = 1e-10


def centroid(mel: Mel) -> PerItem:
    """Compute the power-weighted mean position on the mel axis, in [0, 1]; frames are weighted by their power."""
    power = mel.exp()
    position = torch.linspace(0, 1, mel.shape[1], device=mel.device)
    return (power * position[:, None]).sum(dim=(1, 2)) / power.sum(dim=(1, 2))


def flatness(mel: Mel) -> PerItem:
    """Compute the ratio of geometric to arithmetic mean of the bands' power, from 0 (tone) to 1 (white noise).

    Frames are weighted by their power.
    """
    power = mel.exp()
    frame = mel.mean(dim=1).exp() / (power.mean(dim=1) + EPSILON)
    weight = power.sum(dim=1)
    return (frame * weight).sum(dim=1) / weight.sum(dim=1)


def flux(mel: Mel) -> PerItem:
    """Compute the mean absolute difference between consecutive log-power frames, after removal of each frame's mean."""
    shape = mel - mel.mean(dim=1, keepdim=True)
    return (shape[:, :, 1:] - shape[:, :, :-1]).abs().mean(dim=(1, 2))


def temporal_centroid(mel: Mel) -> PerItem:
    """Compute the power-weighted mean time, as a share of the duration."""
    power = mel.exp().sum(dim=1)
    position = torch.linspace(0, 1, mel.shape[2], device=mel.device)
    return (power * position).sum(dim=1) / power.sum(dim=1)


@dataclass(frozen=True)
class SemanticPair:
    """Two opposite words and a descriptor whose high values indicate the first, low values the second.

    Attributes:
        first: Word for high values.
        second: Word for low values.
        descriptor: Function of log-mel spectrograms that are not standardised.
        first_names: Substrings of preset names that imply `first`.
        second_names: Substrings of preset names that imply `second`.
    """

    first: str
    second: str
    descriptor: Callable[[Mel], PerItem]
    first_names: tuple[str, ...] = ()
    second_names: tuple[str, ...] = ()

    def tag_name(self, name: str) -> int:
        """Tag a preset by its name: 1 for the first word, -1 for the second, 0 if the name implies neither or both."""
        first, second = (any(part in name.lower() for part in parts) for parts in (self.first_names, self.second_names))
        return int(first) - int(second)

    def thresholds(self, mel: Mel) -> Float[Tensor, "2"]:
        """Compute the limits of the lower and the upper third of a training set.

        Args:
            mel: Log-mel spectrograms of the training set, not standardised.
        """
        shares = torch.tensor([TAGGED_SHARE, 1 - TAGGED_SHARE], dtype=mel.dtype, device=mel.device)
        return torch.quantile(self.descriptor(mel), shares)

    def tags(self, mel: Mel, thresholds: Float[Tensor, "2"]) -> PerItem:
        """Tag sounds: 1 for the first word, -1 for the second, 0 for unknown.

        Args:
            mel: Log-mel spectrograms, not standardised.
            thresholds: Limits returned by `thresholds`.
        """
        value = self.descriptor(mel)
        return (value > thresholds[1]).to(mel.dtype) - (value < thresholds[0]).to(mel.dtype)


SEMANTIC_PAIRS = {
    "bright_dark": SemanticPair("bright", "dark", centroid, ("bright", "bell", "glass"), ("dark", "bass", "sub")),
    "noisy_pure": SemanticPair(
        "noisy", "pure", flatness, ("noise", "wind", "drum", "snare"), ("sine", "flute", "whistle")
    ),
    "moving_constant": SemanticPair(
        "moving", "constant", flux, ("wah", "sweep", "seq", "helicopter"), ("organ", "accord", "pipe")
    ),
    "sustained_percussive": SemanticPair(
        "sustained",
        "percussive",
        temporal_centroid,
        ("pad", "organ", "string", "swell", "choir", "drone", "brass", "horn"),
        ("pluck", "perc", "drum", "bell", "piano", "stab", "harp", "clav", "marimba"),
    ),
}


def agreement(train: Mel, mel: Mel, names: Sequence[str]) -> pd.DataFrame:
    """Compare tags derived from sounds with tags derived from preset names.

    Args:
        train: Log-mel spectrograms of the training set, not standardised, to compute the thresholds from.
        mel: Log-mel spectrograms of the presets to tag, not standardised.
        names: Names of the presets to tag.

    Returns:
        Columns pair, word, lower and upper (thresholds), tagged (number of presets tagged by sound), named (number
        tagged by name), known (number of the latter that have any tag by sound), agree (share of these with the same
        tag).
    """
    rows = []
    for key, pair in SEMANTIC_PAIRS.items():
        limits = pair.thresholds(train)
        by_sound = pair.tags(mel, limits).int().tolist()
        by_name = [pair.tag_name(name) for name in names]
        for tag, word in ((1, pair.first), (-1, pair.second)):
            named = [sound_tag for sound_tag, name_tag in zip(by_sound, by_name, strict=True) if name_tag == tag]
            known = [sound_tag for sound_tag in named if sound_tag]
            agree = sum(sound_tag == tag for sound_tag in known) / len(known) if known else None
            rows.append((key, word, *limits.tolist(), by_sound.count(tag), len(named), len(known), agree))
    return pd.DataFrame(rows, columns=["pair", "word", "lower", "upper", "tagged", "named", "known", "agree"])
