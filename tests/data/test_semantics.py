"""Semantic pairs: descriptors equal those of librosa and separate unambiguous sounds."""

import librosa
import numpy as np
import pytest
import torch

from flowsynth.data.features import Mel
from flowsynth.data.semantics import SEMANTIC_PAIRS, centroid, flatness

RATE = 22050


def mel_of(*sounds: np.ndarray) -> torch.Tensor:
    mel = Mel(RATE)
    return mel.log(mel(torch.from_numpy(np.stack(sounds).astype(np.float32))))


def tone(frequency: float, decay: float = 0.0) -> np.ndarray:
    time = np.arange(4 * RATE) / RATE
    return 0.5 * np.sin(2 * np.pi * frequency * time) * np.exp(-decay * time)


def noise() -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, 4 * RATE)


def siren() -> np.ndarray:
    time = np.arange(4 * RATE) / RATE
    return 0.5 * np.sin(2 * np.pi * 800 * time + 100 * np.sin(2 * np.pi * 2 * time))


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("bright_dark", tone(4000), tone(100)),
        ("noisy_pure", noise(), tone(440)),
        ("moving_constant", siren(), tone(440)),
        ("sustained_percussive", tone(440), tone(440, decay=8)),
    ],
)
def test_descriptor_separates_the_words_of_a_pair(name: str, first: np.ndarray, second: np.ndarray):
    high, low = SEMANTIC_PAIRS[name].descriptor(mel_of(first, second))
    assert high > low


@pytest.mark.parametrize("name", SEMANTIC_PAIRS)
def test_each_word_tags_a_third_of_the_training_set(name: str):
    mel = (
        torch.randn(300, 16, 20, generator=torch.Generator().manual_seed(0)) + torch.linspace(-3, 3, 300)[:, None, None]
    )
    pair = SEMANTIC_PAIRS[name]
    tags = pair.tags(mel, pair.thresholds(mel))
    assert [(tags == tag).sum().item() for tag in (-1, 0, 1)] == pytest.approx([100, 100, 100], abs=1)


def test_thresholds_come_from_the_training_set():
    pair, mel = SEMANTIC_PAIRS["bright_dark"], mel_of(tone(100), tone(110), tone(120))
    assert pair.tags(mel, pair.thresholds(mel_of(tone(1000), tone(4000), tone(8000)))).tolist() == [-1, -1, -1]


def test_centroid_equals_librosa():
    mel = mel_of(tone(440), noise())
    power = mel.exp().numpy()
    frames = librosa.feature.spectral_centroid(S=power, freq=np.linspace(0, 1, 64), sr=RATE)[:, 0]
    expected = (frames * power.sum(axis=1)).sum(axis=1) / power.sum(axis=(1, 2))
    np.testing.assert_allclose(centroid(mel), expected, rtol=1e-4)


def test_flatness_equals_librosa():
    mel = mel_of(tone(440), noise())
    power = mel.exp().numpy()
    frames = librosa.feature.spectral_flatness(S=power, power=1.0)[:, 0]
    expected = (frames * power.sum(axis=1)).sum(axis=1) / power.sum(axis=(1, 2))
    np.testing.assert_allclose(flatness(mel), expected, rtol=1e-4)
