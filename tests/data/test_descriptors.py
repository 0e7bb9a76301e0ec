"""Descriptors of sounds that everybody knows the descriptors of."""

import numpy as np
import pytest

from flowsynth.data.descriptors import UNITS, describe

RATE = 22050


def tone(frequency: float, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * frequency * np.arange(RATE) / RATE)).astype(np.float32)


def test_a_tone_is_at_its_frequency_and_pure():
    found = describe(tone(1000), RATE)
    assert set(found) == set(UNITS)
    assert found["centroid"] == pytest.approx(1000, abs=15)
    assert found["roll-off"] == pytest.approx(1000, abs=30)
    assert found["bandwidth"] < 100
    assert found["flatness"] < 1e-3
    assert found["loudness"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)


def test_noise_is_wide_and_flat():
    found = describe(np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32), RATE)
    assert found["centroid"] == pytest.approx(RATE / 4, rel=0.02)
    assert found["flatness"] > 0.4
    assert found["bandwidth"] > 2500


def test_silence_around_a_tone_does_not_count():
    silence = np.zeros(RATE, np.float32)
    assert describe(np.concatenate([tone(1000), silence]), RATE)["centroid"] == pytest.approx(1000, abs=20)
    assert all(np.isfinite(value) for value in describe(silence, RATE).values())
