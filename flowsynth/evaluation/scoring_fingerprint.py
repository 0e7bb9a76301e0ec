"""Fingerprint of scoring: the values of every metric, and of the log-mel features, on fixed sounds and parameters.

Scores are comparable if they were computed by the same arithmetic. A hash of the source is too strict, as editing a
docstring changes it. Scores are therefore stored with these values and compared by them.

The sounds and parameters are synthesised: sines, and noise from an integer generator, on a grid that float32 represents
exactly, so that they are bit-identical everywhere. What is computed from them is not: processors, BLAS and FFT
libraries round differently, in the seventh digit of a spectrum. Every sound that is not silent therefore has noise in
all bands, so that no value depends on rounding in empty bands. No pair differs in level alone, where a level-invariant
metric would return rounding errors. Across instruction sets, numbers of threads and BLAS kernels, metrics were found to
differ by up to 6e-8 of their value and features by 3e-7; with a logarithm whose last two bits are wrong, by 1.3e-6.
`RELATIVE` is a few times that, and half a unit of the last of the six digits that baselines store. Some values are
exact: those of identical sounds and of silence. `ABSOLUTE` matters for these only, as all others are far above it.

Changes that these values cannot show, such as a threshold that none of the sounds is near, are recorded by
`SCORING_VERSION`.
"""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt64

from flowsynth.data.features import Mel, numpy_mel
from flowsynth.evaluation.scoring import compute_metrics
from flowsynth.metrics import registry

SCORING_VERSION = 1  # to be raised when scores change in a way that the values of `fingerprint` do not show
RELATIVE = 5e-6  # tolerances of the comparison
ABSOLUTE = 1e-9
DIGITS = 9  # significant digits stored
FEATURES = "features"  # key of the features beside the names of the metrics

RATE = 22050  # Hz
LENGTH = 81000  # samples: 3.7 s, the duration of the features' frames
GRID = 2.0**-20  # quantisation step, full scale 1
PARAMETERS = 8
BLOCKS = (4, 2)  # numbers of blocks of bands and of frames over which the features are averaged


@cache
def fingerprint() -> dict[str, Any]:
    """Evaluate all metrics and the features with the code that computes scores.

    Returns:
        ``version``, and ``values``: a list of numbers for each metric and for `FEATURES`, None where a metric is
        undefined. It can be stored as JSON. It is cached and must not be modified.
    """
    reference, estimate = (np.stack(sounds) for sounds in zip(*_pairs().values(), strict=True))
    noise = _noise(2 * len(reference) * PARAMETERS, 9).astype(np.float32).reshape(2, len(reference), PARAMETERS)
    truth, predictions = (noise + 1) / 2
    predictions[-1] = truth[-1]
    results = compute_metrics(list(registry().values()), truth, reference, RATE, [(predictions, estimate)])
    values = {name: metric_values for _, name, metric_values in results}
    mel = Mel(RATE)
    log_mel = mel.log(torch.from_numpy(numpy_mel(mel, reference))).numpy().astype(np.float64)
    bands, frames = BLOCKS
    blocks = log_mel.reshape(len(log_mel), bands, log_mel.shape[1] // bands, frames, -1)
    values[FEATURES] = blocks.mean(axis=(2, 4)).ravel()
    return {"version": SCORING_VERSION, "values": {name: _rounded(numbers) for name, numbers in values.items()}}


def differences(current: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    """Compare the current fingerprint with a stored one.

    Args:
        current: Fingerprint of the current code, as returned by `fingerprint`.
        stored: Fingerprint stored with scores. Metrics that it lacks are not compared, as there are no scores of them.

    Returns:
        The metrics that differ, each with its largest difference; empty if scoring is the same.
    """
    if current["version"] != stored["version"]:
        return [f"all metrics (version {current['version']}, stored {stored['version']})"]
    by_metric = {name: _difference(current["values"].get(name), values) for name, values in stored["values"].items()}
    return [f"{name} ({difference})" for name, difference in by_metric.items() if difference]


def _difference(current: list[float | None] | None, stored: list[float | None]) -> str:
    if current is None:
        return "no longer computed"
    if len(current) != len(stored):
        return f"{len(current)} values, stored {len(stored)}"
    a, b = (np.array(values, dtype=np.float64) for values in (current, stored))  # None is NaN
    beyond = np.abs(a - b) - ABSOLUTE - RELATIVE * np.abs(b)
    wrong = np.where(np.isnan(a) | np.isnan(b), np.isnan(a) != np.isnan(b), beyond > 0)
    if not wrong.any():
        return ""
    relative = np.where(wrong, np.abs(a - b) / np.maximum(np.abs(b), ABSOLUTE), -1.0)
    worst = int(np.argmax(np.where(np.isnan(relative), np.inf, relative)))
    size = "defined in one only" if math.isnan(relative[worst]) else f"relative difference {relative[worst]:.1e}"
    return f"{wrong.sum()} of {len(a)} values, at most {a[worst]:.7g}, stored {b[worst]:.7g}: {size}"


def _rounded(values: Float[np.ndarray, " values"]) -> list[float | None]:
    return [None if math.isnan(value) else float(f"{value:.{DIGITS}g}") for value in values]


def _pairs() -> dict[str, tuple[Float[np.ndarray, " samples"], Float[np.ndarray, " samples"]]]:
    """Pairs of reference and estimate by description; the sounds of the last pair are identical."""
    time = np.arange(LENGTH) / RATE
    noises = [_noise(LENGTH, seed) for seed in range(8)]

    def tone(frequency: float, level: float, index: int) -> np.ndarray:
        partials = sum(np.sin(2 * np.pi * frequency * k * time) / k for k in range(1, 6))
        return level * (partials / 2 + noises[index] / 100)

    silence, sweep = np.zeros(LENGTH), np.sin(2 * np.pi * (100 * time + 700 * time**2))
    late = np.concatenate([np.zeros(LENGTH // 8), sweep[: -(LENGTH // 8)]])
    gate = np.where(np.sin(2 * np.pi * 3 * time) > 0.2, 1.0, 0.0)  # pulses with digital silence between them
    smooth = np.convolve(noises[0], np.ones(16) / 16, "same")
    pairs = {
        "detuned": (tone(220.0, 0.5, 0), tone(233.1, 0.5, 1)),
        "octave, quieter": (tone(440.0, 0.5, 1), tone(220.0, 0.1, 2)),
        "decaying tones": (tone(110.0, 0.8, 2) * np.exp(-2 * time), tone(110.0, 0.8, 3) * np.exp(-5 * time)),
        "decaying noise, down to below the floor": (noises[3] * np.exp(-4 * time), noises[4] * np.exp(-3 * time)),
        "noise and low-passed noise": (0.3 * noises[5], 0.5 * smooth),
        "noise and tone": (0.2 * noises[6], tone(523.3, 0.4, 7)),
        "delayed": (0.5 * sweep + 0.01 * noises[0], 0.4 * late + 0.01 * noises[1]),
        "pulses": (gate * tone(330.0, 0.5, 4), np.roll(gate, LENGTH // 10) * tone(330.0, 0.4, 5)),
        "near-silent": (tone(220.0, 0.0077, 0), tone(440.0, 0.006, 1)),
        "slightly louder": (tone(220.0, 0.0092, 2), tone(440.0, 0.02, 3)),
        "silent reference": (silence, 0.1 * noises[2]),
        "silent estimate": (tone(220.0, 0.3, 4), silence),
        "both silent": (silence, silence),
        "identical": (tone(220.0, 0.3, 5), tone(220.0, 0.3, 5)),
    }
    return {name: (_quantised(reference), _quantised(estimate)) for name, (reference, estimate) in pairs.items()}


def _quantised(sound: np.ndarray) -> Float[np.ndarray, " samples"]:
    return (np.round(sound / GRID) * GRID).astype(np.float32)


def _noise(count: int, seed: int) -> Float[np.ndarray, " count"]:
    """Uniform noise in [-1, 1) on a grid of 2^-23, by splitmix64 (Steele, Lea, Flood 2014), for any numpy."""
    state: UInt64[np.ndarray, " count"] = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(seed << 32)
    state = state * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((state ^ (state >> np.uint64(31))) >> np.uint64(40)).astype(np.float64) / 2**23 - 1
