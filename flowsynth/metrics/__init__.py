"""Metrics of synthesizer sound matching: how close an estimate is to a target, in parameters and in sound.

`evaluate` computes all spectral and audio metrics of two sounds. The metrics themselves are pure functions in modules
by domain, each with a record in ``METRICS``: `parameters` compares normalised parameters, `spectral` mel power
spectrograms, `audio` waveforms. Each takes arrays of items, reference first and estimate second, and returns one value
per item.

Conventions:
    Sounds are mono, with full scale 1. Target and estimate have the same sample rate and length, and are not aligned or
    normalised in level.
    Spectral metrics use the first 80 frames of a mel power spectrogram: 64 bands from 30 to 11,000 Hz, centred Hann
    windows of 2048 samples, hops of 1024 samples. The sample rate is therefore at least 22,000 Hz, and sounds have at
    least 80,896 samples; pad both with zeros if they are shorter. The windows are in samples: scores at different
    sample rates are not comparable.
    The windows of audio metrics are in seconds.
    Values are not averaged. A metric that is undefined is NaN: spectral convergence, for a near-silent target.
    `Metric.better` is the direction, `Metric.gain` the behaviour under a change of level.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

PRIMARY_METRIC = "log_mel_l1"  # ranks models where a single metric is needed


@dataclass(frozen=True)
class Metric:
    """Record of a metric.

    Attributes:
        name: Name in tables of scores.
        label: Label in figures and formatted tables.
        unit: Unit of the values; empty if dimensionless.
        better: ``lower`` or ``higher``.
        perfect: Value of an estimate equal to the reference.
        range: Smallest and largest possible value.
        definition: Definition in one line.
        source: Publication or origin.
        silence: Value for a silent reference or estimate.
        gain: Whether a change of level changes the value.
        domain: Kind of the compared arrays.
        function: Maps reference and estimate to one value per item, NaN where the metric is undefined.
    """

    name: str
    label: str
    unit: str
    better: Literal["lower", "higher"]
    perfect: float
    range: tuple[float, float]
    definition: str
    source: str
    silence: str
    gain: Literal["aware", "invariant", "not applicable"]
    domain: Literal["parameters", "spectral", "audio"]
    function: Callable[..., np.ndarray]


def registry() -> dict[str, Metric]:
    """Return all metrics by name, in the order of tables.

    >>> registry()["mss"].unit
    'dB'
    """
    from flowsynth.metrics import audio, parameters, spectral

    metrics = [*parameters.METRICS, *spectral.METRICS, *audio.METRICS]
    return {metric.name: metric for metric in metrics}


def evaluate(
    target: np.ndarray | str | os.PathLike, estimate: np.ndarray | str | os.PathLike, sample_rate: int | None = None
) -> dict[str, float]:
    """Compute all spectral and audio metrics of a sound.

    The values are those of the benchmark's scores, to single precision.

    Args:
        target: Target sound: samples in [-1, 1], or the path of an audio file.
        estimate: Estimated sound, of the same length.
        sample_rate: Sample rate in Hz; None for files, which know theirs.

    Returns:
        Value of each metric by name, NaN where it is undefined.

    Raises:
        ValueError: If a file can't be read completely or has several channels, the sample rates differ or one is not
            known, or as `validate` does.

    >>> time = np.arange(4 * 22050) / 22050
    >>> target, estimate = np.sin(2 * np.pi * 440 * time), np.sin(2 * np.pi * 466 * time)
    >>> scores = evaluate(target, estimate, 22050)
    >>> list(scores)
    ['spectral_convergence', 'mel_mse', 'log_mel_l1', 'mss', 'wmfcc', 'sot', 'rms']
    >>> evaluate(target, target, 22050)["log_mel_l1"]
    0.0
    """
    from flowsynth.metrics.spectral import mel_power

    target, rate = _load("target", target, sample_rate)
    estimate, estimate_rate = _load("estimate", estimate, sample_rate)
    if estimate_rate != rate:
        raise ValueError(f"the target has a sample rate of {rate} Hz, the estimate of {estimate_rate} Hz")
    validate(target, estimate, rate)
    sounds = [sound.astype(np.float32)[None] for sound in (target, estimate)]
    arguments: dict[str, list[Any]] = {
        "spectral": [mel_power(sound, rate) for sound in sounds],
        "audio": [*sounds, rate],
    }
    metrics = [metric for metric in registry().values() if metric.domain in arguments]
    return {metric.name: float(metric.function(*arguments[metric.domain])[0]) for metric in metrics}


def validate(target: np.ndarray, estimate: np.ndarray, sample_rate: int) -> None:
    """Check that two sounds can be compared by all metrics.

    Raises:
        ValueError: If a sound is not one-dimensional, floating-point and finite, the lengths differ, the sounds have
            too few samples or the sample rate is too low for the mel spectrogram.

    >>> validate(np.zeros(88200), np.zeros(88200), 8000)
    Traceback (most recent call last):
    ValueError: sample_rate = 8000 Hz, expected at least 22000 Hz
    """
    from flowsynth.metrics.spectral import MIN_SAMPLE_RATE, MIN_SAMPLES

    for name, sound in (("target", target), ("estimate", estimate)):
        if sound.ndim != 1:
            raise ValueError(f"the {name} has the shape {sound.shape}, expected one dimension: a mono sound")
        if not np.issubdtype(sound.dtype, np.floating):
            raise ValueError(f"the {name} is of type {sound.dtype}, expected floating-point samples in [-1, 1]")
        if not np.isfinite(sound).all():
            raise ValueError(f"the {name} is not finite")
    if len(target) != len(estimate):
        raise ValueError(f"the target has {len(target)} samples, the estimate {len(estimate)}")
    if sample_rate < MIN_SAMPLE_RATE:
        raise ValueError(f"sample_rate = {sample_rate} Hz, expected at least {MIN_SAMPLE_RATE} Hz")
    if len(target) < MIN_SAMPLES:
        raise ValueError(f"the sounds have {len(target)} samples, expected at least {MIN_SAMPLES}: pad them with zeros")


def check_pair(reference: np.ndarray, estimate: np.ndarray) -> None:
    """Check that two arrays can be compared.

    Raises:
        ValueError: If the shapes differ or a value is not finite.

    >>> check_pair(np.zeros(2), np.zeros(3))
    Traceback (most recent call last):
    ValueError: reference has the shape (2,), the estimate (3,)
    """
    if reference.shape != estimate.shape:
        raise ValueError(f"reference has the shape {reference.shape}, the estimate {estimate.shape}")
    for name, array in (("reference", reference), ("estimate", estimate)):
        if not np.isfinite(array).all():
            raise ValueError(f"the {name} is not finite")


def _load(name: str, sound: np.ndarray | str | os.PathLike, sample_rate: int | None) -> tuple[np.ndarray, int]:
    """Return samples and sample rate of an array or a file."""
    if isinstance(sound, (str, os.PathLike)):
        from pathlib import Path

        from flowsynth.core.sound_files import SoundFileError, read_sound_file

        path = Path(os.fsdecode(sound))
        file = read_sound_file(path)
        if sample_rate not in (None, file.sample_rate):
            raise ValueError(f"sample_rate = {sample_rate} Hz, but {sound} has {file.sample_rate} Hz")
        channels = file.samples.shape[1]
        if channels != 1:
            raise SoundFileError(path, f"has {channels} channels, expected 1: mix them first")
        return file.samples[:, 0], file.sample_rate
    if sample_rate is None:
        raise ValueError(f"sample_rate = None, expected a value in Hz as the {name} is an array")
    return np.asarray(sound), sample_rate
