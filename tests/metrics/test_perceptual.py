"""Perceptual metrics: properties, golden values, and refused sounds."""

import numpy as np
import pytest
import soxr
import torch
from zimtohrli import Pyohrli

from flowsynth.metrics.perceptual import METRICS, zimtohrli

RATE = 22050
TIME = np.arange(RATE) / RATE


def sine(pitch: float, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * pitch * TIME)


def decay(pitch: float) -> np.ndarray:
    """A tone that fades to denormal numbers."""
    return (sine(pitch) * np.exp(-90 * TIME)).astype(np.float32)


def test_equal_sounds_have_the_perfect_value():
    sounds = np.stack([sine(440), np.zeros(RATE), decay(200)])
    for metric in METRICS:
        assert (metric.function(sounds, sounds, RATE) == metric.perfect).all()


def test_it_is_symmetric_and_orders_sounds():
    noise = 0.1 * np.random.default_rng(0).normal(size=RATE)
    target = np.stack([sine(440)] * 4)
    others = np.stack([sine(440, 0.45), sine(466), np.zeros(RATE), noise])
    values = zimtohrli(target, others, RATE)
    assert (values == zimtohrli(others, target, RATE)).all()
    assert (np.diff(values) > 0).all()
    assert values[1] < 0.001 < 0.005 < values[2]


def test_values_depend_neither_on_the_batch_nor_on_denormal_numbers():
    sounds, others = np.stack([decay(200), sine(300), decay(250)]), np.stack([decay(210), sine(330), sine(250)])
    together = zimtohrli(sounds, others, RATE)
    alone = [zimtohrli(sounds[row : row + 1], others[row : row + 1], RATE)[0] for row in range(3)]
    assert together.tolist() == alone
    assert 0 < np.abs(sounds[0][-100:]).max() < np.finfo(np.float32).tiny
    resampled = [soxr.resample(sound[0].astype(np.float32), RATE, 48_000) for sound in (sounds, others)]
    assert (torch.tensor([1e-40]) * 0.5).item() > 0  # the mode of the processor is restored
    assert Pyohrli().distance(*resampled) == together[0]
    torch.set_flush_denormal(True)
    try:
        zimtohrli(sounds[:1], others[:1], RATE)
        assert (torch.tensor([1e-40]) * 0.5).item() == 0
    finally:
        torch.set_flush_denormal(False)


def test_golden_values():
    sounds, others = np.stack([sine(440), decay(200)]), np.stack([sine(466), sine(200)])
    assert zimtohrli(sounds, others, RATE).tolist() == pytest.approx([0.00021541, 0.01287991], rel=1e-3)


@pytest.mark.parametrize(
    ("reference", "estimate", "message"),
    [
        (np.zeros((1, 100)), np.zeros((1, 100)), "the sounds have 100 samples at 22050 Hz, expected at least 0.1 s"),
        (np.zeros((1, RATE)), np.full((1, RATE), np.nan), "the estimate is not finite"),
    ],
)
def test_sounds_that_cannot_be_compared_are_refused(reference: np.ndarray, estimate: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        zimtohrli(reference, estimate, RATE)
