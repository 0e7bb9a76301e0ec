"""Metrics of audio: spectrum, timbre, frequency displacement and envelope.

All have the arguments and errors of `mss` and return one finite value per item, also for silence; identical sounds have
exactly the perfect value. Windows and hops are in seconds, rounded to samples. Frames, decibels and cepstra follow
librosa's defaults, which the authors of the metrics use: frames are centred and zero-padded at the ends; power is
clipped at 1e-10, and at 80 dB below the loudest band of the sound.

References:
    Hayes, Saitis, Fazekas, "Audio synthesizer inversion in symmetric parameter spaces with approximately equivariant
    flow matching", ISMIR 2025, arXiv 2506.07199: the four metrics.
    Giorgino, "Computing and visualizing dynamic time warping alignments in R: the dtw package", Journal of Statistical
    Software 31(7), 2009: the step pattern symmetric2 and its normalisation.
"""

import functools
import math
from collections.abc import Callable

import numpy as np
import scipy.fft
from jaxtyping import Float
from numpy.lib.stride_tricks import as_strided
from scipy.spatial.distance import cdist

from flowsynth.core.mel_filters import centred_frames, mel_bank, power_spectrogram
from flowsynth.metrics import Metric, check_pair

Sounds = Float[np.ndarray, "items samples"]
Sound = Float[np.ndarray, " samples"]
PerItem = Float[np.ndarray, " items"]

RESOLUTIONS = ((0.010, 0.005, 32), (0.025, 0.010, 64), (0.100, 0.050, 128))  # MSS: window and hop in s, bands
COEFFICIENTS = 20  # MFCC, including the first, the level
MIN_POWER = 1e-10  # smallest power of a band
DYNAMICS = 80.0  # dynamic range in dB below the loudest band
MIN_MAGNITUDE_SUM = 1e-6  # smallest divisor of a frame's magnitudes; about -200 dB of full scale
MIN_SAMPLE_RATE = 200  # Hz: one sample in the shortest hop
MIN_DURATION = 0.1  # s: the longest window


def mss(reference: Sounds, estimate: Sounds, sample_rate: int) -> PerItem:
    """Compute the multi-scale spectral distance: mean absolute difference of log-mel spectrograms at three resolutions.

    Each spectrogram is in dB relative to its own maximum. A quieter copy of a sound is therefore at distance 0, as long
    as 80 dB below the maximum is above the smallest power (for a sine: down to about -35 dB of full scale). A silent
    sound is 0 dB everywhere: it is far from a tone, but close to stationary noise.

    Args:
        reference: Mono sounds of full scale 1, items x samples.
        estimate: Sounds of the same shape.
        sample_rate: Sample rate in Hz.

    Returns:
        One value per item, in dB, 0 to 80.

    Raises:
        ValueError: If the shapes differ, a value is not finite, the sounds are shorter than 0.1 s or the sample rate is
            below 200 Hz.

    >>> sound = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)[None]
    >>> mss(sound, 0.5 * sound, 22050).round(3)
    array([0.])
    """
    return _per_item(_mss, 0.0, reference, estimate, sample_rate)


def wmfcc(reference: Sounds, estimate: Sounds, sample_rate: int) -> PerItem:
    """Compute the distance of MFCC sequences under dynamic time warping, a distance of timbre tolerant of timing.

    The cost of a pair of frames is the mean absolute difference of their 20 MFCC. The first is the level: a change of g
    dB moves it by g * sqrt(128) and the distance by up to 0.57 g. Memory is quadratic in the duration: some 5 MB for 4
    s.

    Returns:
        Cost of the best path divided by the total number of frames, one value per item.

    >>> sound = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)[None]
    >>> wmfcc(sound, sound, 22050)
    array([0.])
    """
    return _per_item(_wmfcc, 0.0, reference, estimate, sample_rate)


def sot(reference: Sounds, estimate: Sounds, sample_rate: int) -> PerItem:
    """Compute the spectral optimal transport: the Wasserstein-1 distance of magnitude spectra along frequency.

    The magnitudes of each frame are divided by their sum, but by at least 1e-6. A silent frame therefore has no mass,
    as if its mass were beyond the highest frequency: its distance to another silent frame is 0, and to a sounding one 1
    minus the relative centroid of that frame, nearly 1 for a low tone.

    Returns:
        Mean over frames, as a fraction of the frequency axis, 0 to 1, one value per item.

    >>> time = np.arange(22050) / 22050
    >>> low, high = np.sin(2 * np.pi * 1000 * time)[None], np.sin(2 * np.pi * 2000 * time)[None]
    >>> sot(low, high, 22050).round(2)  # 1000 of 11025 Hz
    array([0.09])
    """
    return _per_item(_sot, 0.0, reference, estimate, sample_rate)


def rms(reference: Sounds, estimate: Sounds, sample_rate: int) -> PerItem:
    """Compute the cosine similarity of RMS envelopes, in frames of 50 ms every 25 ms.

    Two silent sounds have a similarity of 1, a silent and a sounding one 0.

    Returns:
        Similarity, 0 to 1, one value per item; higher is better.

    >>> sound = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)[None]
    >>> rms(sound, -sound, 22050)
    array([1.])
    """
    return _per_item(_rms, 1.0, reference, estimate, sample_rate)


def _per_item(
    pair: Callable[[Sound, Sound, int], float], perfect: float, reference: Sounds, estimate: Sounds, sample_rate: int
) -> PerItem:
    """Apply a metric of two sounds to each item independently."""
    check_pair(reference, estimate)
    if reference.ndim != 2:
        raise ValueError(f"the sounds have the shape {reference.shape}, expected items x samples")
    if sample_rate < MIN_SAMPLE_RATE:
        raise ValueError(f"sample_rate = {sample_rate} Hz, expected at least {MIN_SAMPLE_RATE} Hz")
    if reference.shape[1] < round(MIN_DURATION * sample_rate):
        raise ValueError(f"{reference.shape[1]} samples at {sample_rate} Hz, expected at least {MIN_DURATION} s")
    pairs = zip(reference, estimate, strict=True)
    # identical sounds are perfect, whatever the rounding of FFT and BLAS; all others are compared
    return np.array([perfect if np.array_equal(a, b) else pair(a, b, sample_rate) for a, b in pairs], dtype=np.float64)


def _mss(reference: Sound, estimate: Sound, sample_rate: int) -> float:
    distances = []
    for window, hop, bands in RESOLUTIONS:
        powers = [_mel(sound, sample_rate, window, hop, bands) for sound in (reference, estimate)]
        first, second = (_decibels(power, float(power.max())) for power in powers)
        distances.append(np.mean(np.abs(first - second), dtype=np.float64))
    return float(np.mean(distances))


def _wmfcc(reference: Sound, estimate: Sound, sample_rate: int) -> float:
    powers = [_mel(sound, sample_rate, 0.050, 0.010, 128) for sound in (reference, estimate)]
    first, second = (scipy.fft.dct(_decibels(power, 1.0), norm="ortho")[:, :COEFFICIENTS] for power in powers)
    return _warp(cdist(first, second, "cityblock") / COEFFICIENTS) / (len(first) + len(second))


def _sot(reference: Sound, estimate: Sound, sample_rate: int) -> float:
    length, hop = round(0.050 * sample_rate), round(0.020 * sample_rate)
    magnitudes = [np.sqrt(power_spectrogram(sound, length, hop)) for sound in (reference, estimate)]
    sums = [np.cumsum(magnitude, axis=1, dtype=np.float64) for magnitude in magnitudes]
    first, second = (total / np.maximum(total[:, -1:], MIN_MAGNITUDE_SUM) for total in sums)
    return float(np.mean(np.abs(first - second)))  # over bins too: the axis has length 1


def _rms(reference: Sound, estimate: Sound, sample_rate: int) -> float:
    length, hop = round(0.050 * sample_rate), round(0.025 * sample_rate)
    frames = [np.square(centred_frames(sound, length, hop), dtype=np.float64) for sound in (reference, estimate)]
    first, second = (np.sqrt(frame.mean(axis=1)) for frame in frames)
    norms = np.linalg.norm(first), np.linalg.norm(second)
    if min(norms) == 0:
        return float(max(norms) == 0)
    # unlike the scalar product, exact for parallel envelopes and at most 1
    cosine = 1 - np.sum(np.square(first / norms[0] - second / norms[1])) / 2
    return float(max(cosine, 0.0))


def _mel(audio: Sound, sample_rate: int, window: float, hop: float, bands: int) -> Float[np.ndarray, "frames bands"]:
    """Compute mel power; `window` and `hop` in seconds."""
    n_fft = round(window * sample_rate)
    return power_spectrogram(audio, n_fft, round(hop * sample_rate)) @ _bank(sample_rate, n_fft, bands)


@functools.cache
def _bank(sample_rate: int, n_fft: int, bands: int) -> Float[np.ndarray, "bins bands"]:
    """Compute Slaney's mel filters; at short windows, low ones are narrower than a bin and empty."""
    return np.ascontiguousarray(mel_bank(sample_rate, n_fft, bands).T)


def _decibels(power: Float[np.ndarray, "frames bands"], unit: float) -> Float[np.ndarray, "frames bands"]:
    """Convert power to dB relative to the power `unit`, clipped at `DYNAMICS` below the maximum."""
    decibels = 10 * np.log10(np.maximum(power, MIN_POWER)) - 10 * math.log10(max(unit, MIN_POWER))
    return np.maximum(decibels, decibels.max() - DYNAMICS)


def _warp(cost: Float[np.ndarray, "rows columns"]) -> float:
    """Compute the cost of the cheapest path through a cost matrix; steps right or down count once, diagonal ones twice.

    Iterates over the anti-diagonals: each depends on the two before it only.
    """
    rows, columns = cost.shape
    skewed = np.full((rows + columns - 1, rows), np.inf)  # line k: cells whose row and column sum to k
    across, down = skewed.strides
    as_strided(skewed, cost.shape, (across + down, across))[:] = cost
    lines = [np.full(rows + 1, np.inf) for _ in range(3)]
    before, last, new = ((line[:-1], line[1:]) for line in lines)  # views of the rows above, and of the rows
    last[1][0] = cost[0, 0]
    for costs in skewed[1:]:
        diagonal, row = before[0], new[1]
        diagonal += costs  # the first of two times
        np.minimum(*last, out=row)
        np.minimum(row, diagonal, out=row)
        row += costs
        before, last, new = last, new, before
    return float(last[1][-1])


_metric = functools.partial(
    Metric, unit="", better="lower", perfect=0.0, source="Hayes et al. 2025", gain="invariant", domain="audio"
)
METRICS = (
    _metric(
        name="mss",
        label="MSS",
        unit="dB",
        range=(0.0, DYNAMICS),
        definition="mean over windows of 10, 25 and 100 ms of the mean |L - L'|, L log-mel in dB below its maximum",
        silence="defined; a silent sound is 0 dB in all bands, and stationary noise is the closest to it",
        function=mss,
    ),
    _metric(
        name="wmfcc",
        label="wMFCC",
        range=(0.0, float("inf")),
        definition="dynamic time warping of 20 MFCC, mean |c - c'| a frame, divided by the number of frames of both",
        silence="defined; a silent sound is at -100 dB in all bands",
        gain="aware",
        function=wmfcc,
    ),
    _metric(
        name="sot",
        label="SOT",
        range=(0.0, 1.0),
        definition="mean over frames of the Wasserstein-1 distance of magnitude spectra, each and the axis scaled to 1",
        silence="defined; the mass of a silent frame is beyond the highest frequency",
        function=sot,
    ),
    _metric(
        name="rms",
        label="RMS",
        better="higher",
        perfect=1.0,
        range=(0.0, 1.0),
        definition="cosine similarity of the RMS of frames of 50 ms, each 25 ms",
        silence="1 if both are silent, 0 if one is",
        function=rms,
    ),
)
