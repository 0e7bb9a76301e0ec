"""Descriptors of sounds with known values."""

import numpy as np
import pytest

from flowsynth.data.descriptors import UNITS, describe

RATE = 22050


def tone(frequency: float, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * frequency * np.arange(RATE) / RATE)).astype(np.float32)


def test_descriptors_of_a_tone():
    descriptors = describe(tone(1000), RATE)
    assert set(descriptors) == set(UNITS)
    assert descriptors["centroid"] == pytest.approx(1000, abs=15)
    assert descriptors["roll-off"] == pytest.approx(1000, abs=30)
    assert descriptors["bandwidth"] < 100
    assert descriptors["flatness"] < 1e-3
    assert descriptors["loudness"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)


def test_descriptors_of_noise():
    descriptors = describe(np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32), RATE)
    assert descriptors["centroid"] == pytest.approx(RATE / 4, rel=0.02)
    assert descriptors["flatness"] > 0.4
    assert descriptors["bandwidth"] > 2500


def test_silent_frames_have_no_weight():
    silence = np.zeros(RATE, np.float32)
    assert describe(np.concatenate([tone(1000), silence]), RATE)["centroid"] == pytest.approx(1000, abs=20)
    assert all(np.isfinite(value) for value in describe(silence, RATE).values())
