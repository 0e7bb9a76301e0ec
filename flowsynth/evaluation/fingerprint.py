"""What scoring does, as numbers: every metric, and the networks' log-mel features, of fixed sounds and parameters.

Scores can be compared if the same arithmetic made them. The bytes of its source don't say that: a docstring changes them. So
scores keep these numbers, and are held to them.

Sounds and parameters are made by rule: sines, and noise from a generator of integers, on a grid that float32 holds exactly,
so that they are the same bits everywhere. What is computed from them is not: processors, BLAS and FFT libraries round
otherwise, in the seventh digit of a spectrum. Every sound that is not silent therefore has noise in all bands, and no value
hangs on what is rounded in empty ones; nor is a sound merely a quieter copy, where a metric blind to the level would have
nothing but rounding to tell. With other instruction sets, numbers of threads and BLAS kernels, metrics were found to differ
by up to 6e-8 of their value and features by 3e-7; with a logarithm whose last two bits are wrong, by 1.3e-6. `RELATIVE` is
some times that, and half a unit of the last of the six digits that baselines keep of a score: what moves no value by more is
below them. Some values are exact, those of a sound and itself and of silence: `ABSOLUTE` is for their kind alone, as all
others are far above it.

What these numbers can't show, such as a threshold that none of the sounds is near, is a matter of `SCORING_VERSION`.
"""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt64

from flowsynth.data.features import Mel, numpy_mel
from flowsynth.evaluation.scoring import measure
from flowsynth.metrics import registry

SCORING_VERSION = 1  # raise it when scores change in a way that the values of `fingerprint` don't show
RELATIVE = 5e-6  # difference of values up to which they are the same
ABSOLUTE = 1e-9
DIGITS = 9  # that are kept
FEATURES = "features"  # their name among those of the metrics

RATE = 22050  # Hz
LENGTH = 81000  # samples: 3.7 s, as long as the frames of the features
GRID = 2.0**-20  # of full scale
PARAMETERS = 8
BLOCKS = (4, 2)  # of bands and frames, whose means stand for the features


@cache
def fingerprint() -> dict[str, Any]:
    """Evaluate all metrics, and the features, by the code that scores.

    Returns:
        ``version``, and ``values``: a list of numbers by metric, and by `FEATURES`; None where a metric is not defined.
        It can be kept as JSON, and is to be changed by nobody.
    """
    reference, estimate = (np.stack(sounds) for sounds in zip(*_pairs().values(), strict=True))
    drawn = _noise(2 * len(reference) * PARAMETERS, 9).astype(np.float32).reshape(2, len(reference), PARAMETERS)
    truth, answers = (drawn + 1) / 2
    answers[-1] = truth[-1]
    measured = measure(list(registry().values()), truth, reference, RATE, [(answers, estimate)])
    values = {name: found for _, name, found in measured}
    mel = Mel(RATE)
    log = mel.log(torch.from_numpy(numpy_mel(mel, reference))).numpy().astype(np.float64)
    bands, frames = BLOCKS
    values[FEATURES] = log.reshape(len(log), bands, log.shape[1] // bands, frames, -1).mean(axis=(2, 4)).ravel()
    return {"version": SCORING_VERSION, "values": {name: _kept(found) for name, found in values.items()}}


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Say in what scoring differs from what it was; not at all, if the list is empty.

    Args:
        ours: As made by `fingerprint`, now.
        theirs: The same, kept with scores. Metrics that they don't have are not compared: there are no scores of them.

    Returns:
        Each metric that differs, with its largest difference.
    """
    if ours["version"] != theirs["version"]:
        return [f"all metrics (version {ours['version']}, theirs {theirs['version']})"]
    found = [(name, _difference(ours["values"].get(name), values)) for name, values in theirs["values"].items()]
    return [f"{name} ({told})" for name, told in found if told]


def _difference(ours: list[float | None] | None, theirs: list[float | None]) -> str:
    if ours is None:
        return "which there is no more"
    if len(ours) != len(theirs):
        return f"{len(ours)} values, theirs {len(theirs)}"
    a, b = (np.array(values, dtype=np.float64) for values in (ours, theirs))  # None is NaN
    beyond = np.abs(a - b) - ABSOLUTE - RELATIVE * np.abs(b)
    wrong = np.where(np.isnan(a) | np.isnan(b), np.isnan(a) != np.isnan(b), beyond > 0)
    if not wrong.any():
        return ""
    relative = np.where(wrong, np.abs(a - b) / np.maximum(np.abs(b), ABSOLUTE), -1.0)
    worst = int(np.argmax(np.where(np.isnan(relative), np.inf, relative)))
    by = "defined for one only" if math.isnan(relative[worst]) else f"by {relative[worst]:.1e} of it"
    return f"{wrong.sum()} of {len(a)} values, the most {a[worst]:.7g}, theirs {b[worst]:.7g}: {by}"


def _kept(values: Float[np.ndarray, " values"]) -> list[float | None]:
    return [None if math.isnan(value) else float(f"{value:.{DIGITS}g}") for value in values]


def _pairs() -> dict[str, tuple[Float[np.ndarray, " samples"], Float[np.ndarray, " samples"]]]:
    """References and estimates, by what is tried with them; the last of them are one sound and itself."""
    time = np.arange(LENGTH) / RATE
    noises = [_noise(LENGTH, seed) for seed in range(8)]

    def tone(hertz: float, level: float, which: int) -> np.ndarray:
        partials = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, 6))
        return level * (partials / 2 + noises[which] / 100)

    silence, sweep = np.zeros(LENGTH), np.sin(2 * np.pi * (100 * time + 700 * time**2))
    late = np.concatenate([np.zeros(LENGTH // 8), sweep[: -(LENGTH // 8)]])
    gate = np.where(np.sin(2 * np.pi * 3 * time) > 0.2, 1.0, 0.0)  # pulses, and digital silence between them
    smooth = np.convolve(noises[0], np.ones(16) / 16, "same")
    pairs = {
        "detuned": (tone(220.0, 0.5, 0), tone(233.1, 0.5, 1)),
        "an octave, and quieter": (tone(440.0, 0.5, 1), tone(220.0, 0.1, 2)),
        "decays": (tone(110.0, 0.8, 2) * np.exp(-2 * time), tone(110.0, 0.8, 3) * np.exp(-5 * time)),
        "decays of noise, beyond what is heard": (noises[3] * np.exp(-4 * time), noises[4] * np.exp(-3 * time)),
        "noise and a darker one": (0.3 * noises[5], 0.5 * smooth),
        "noise and a tone": (0.2 * noises[6], tone(523.3, 0.4, 7)),
        "the same, later": (0.5 * sweep + 0.01 * noises[0], 0.4 * late + 0.01 * noises[1]),
        "pulses": (gate * tone(330.0, 0.5, 4), np.roll(gate, LENGTH // 10) * tone(330.0, 0.4, 5)),
        "near-silent": (tone(220.0, 0.0077, 0), tone(440.0, 0.006, 1)),
        "a little louder": (tone(220.0, 0.0092, 2), tone(440.0, 0.02, 3)),
        "of silence": (silence, 0.1 * noises[2]),
        "of a tone, silence": (tone(220.0, 0.3, 4), silence),
        "silence": (silence, silence),
        "itself": (tone(220.0, 0.3, 5), tone(220.0, 0.3, 5)),
    }
    return {name: (_on_grid(reference), _on_grid(estimate)) for name, (reference, estimate) in pairs.items()}


def _on_grid(sound: np.ndarray) -> Float[np.ndarray, " samples"]:
    return (np.round(sound / GRID) * GRID).astype(np.float32)


def _noise(count: int, seed: int) -> Float[np.ndarray, " count"]:
    """Uniform in [-1, 1), on a grid of 2^-23: splitmix64 (Steele, Lea, Flood 2014), which no version of numpy changes."""
    state: UInt64[np.ndarray, " count"] = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(seed << 32)
    state = state * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((state ^ (state >> np.uint64(31))) >> np.uint64(40)).astype(np.float64) / 2**23 - 1
