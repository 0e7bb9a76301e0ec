"""Settings that are valid one by one, but contradict each other."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from flowsynth.core.mel_filters import check_bands
from flowsynth.metrics import spectral


def contradictions(config: Mapping[str, Any]) -> list[str]:
    """Describe the contradictions in a configuration that its schema accepts, one line each: location, values, remedy."""
    lines = [*_recording(config["render"]), *_spectrogram(config["features"], config["render"])]
    for name, budget in config["budgets"].items():
        lines += [f"config.budgets.{name}.{text}" for text in _budget(budget)]
    return lines


def _recording(render: Mapping[str, Any]) -> Iterator[str]:
    rate, held, duration = render["sample_rate"], render["held"], render["duration"]
    samples = round(rate * duration)
    if held > duration:
        yield (
            f"config.render.held: {held:g} s is longer than the recording, duration = {duration:g} s: "
            "lower held or raise duration"
        )
    try:
        check_bands(rate, spectral.N_FFT, spectral.N_MELS, spectral.FMIN, spectral.FMAX)
    except ValueError as error:
        yield f"config.render.sample_rate: {rate} Hz does not suit the metrics, whose {error}"
    if samples < spectral.MIN_SAMPLES:
        yield (
            f"config.render.duration: {duration:g} s are {samples} samples, and the metrics need {spectral.MIN_SAMPLES}: "
            f"set it to {_seconds(spectral.MIN_SAMPLES, rate)} or more"
        )


def _spectrogram(features: Mapping[str, Any], render: Mapping[str, Any]) -> Iterator[str]:
    rate, window, hop, frames = render["sample_rate"], *(features[key] for key in ("n_fft", "hop_length", "frames"))
    samples = round(rate * render["duration"])
    if window > samples:
        yield (
            f"config.features.n_fft: a window of {window} samples is longer than the recording, {samples} samples: "
            "lower n_fft or raise render.duration"
        )
    available = 1 + samples // hop
    if frames > available:
        yield (
            f"config.features.frames: {frames} frames, but the recording has {available} of hop_length = {hop}: lower frames "
            f"or hop_length, or set render.duration to {_seconds((frames - 1) * hop, rate)} or more"
        )
    try:
        check_bands(rate, window, *(features[key] for key in ("n_mels", "fmin", "fmax")))
    except ValueError as error:
        yield f"config.features: {error}"


def _budget(budget: Mapping[str, Any]) -> Iterator[str]:
    presets, shards, kernel = budget["presets"], budget["shards"], budget["network"]["kernel"]
    if presets != "all" and shards > presets:
        yield f"shards: {shards} files can't be filled by {presets} presets: lower shards or raise presets"
    if kernel % 2 == 0:
        yield f"network.kernel: {kernel} is even, and convolutions need an odd side: set it to {kernel - 1} or {kernel + 1}"


def _seconds(samples: int, rate: int) -> str:
    """Write the duration of a number of samples, rounded up to milliseconds."""
    return f"{math.ceil(1000 * samples / rate) / 1000:g} s"
