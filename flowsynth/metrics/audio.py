"""Metrics of sounds: four views of how alike a target and its resynthesis are.

All take what `mss` takes, refuse what it refuses and give one value an item, a finite one for silence too; a sound and
itself get exactly the perfect value. Windows and hops are in seconds, rounded to samples. Frames, decibels and cepstra
are those of librosa with its defaults, which the authors of the metrics use: frames are centred, with zeros beyond the
ends; power counts from 1e-10 on, and from 80 dB below the loudest band of the sound.

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
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from scipy.spatial.distance import cdist

from flowsynth.metrics import Metric, same_shape
from flowsynth.metrics.mel_filters import hann, mel_bank

Sounds = Float[np.ndarray, "items samples"]
Sound = Float[np.ndarray, " samples"]
PerItem = Float[np.ndarray, " items"]

RESOLUTIONS = ((0.010, 0.005, 32), (0.025, 0.010, 64), (0.100, 0.050, 128))  # of the MSS: window and hop in s, bands
COEFFICIENTS = 20  # of the MFCC, the first, which is the level, included
FLOOR = 1e-10  # power below which a band counts as silent
DYNAMICS = 80.0  # dB below a sound's loudest band at which it is cut off
SILENT = 1e-6  # sum of a frame's magnitudes below which it is not scaled up to 1; about -200 dB of full scale
LOWEST_RATE = 200  # Hz: one sample in the shortest hop
SHORTEST = 0.1  # s: the longest window
BLOCK = 128  # frames transformed at once: what a core keeps in its cache


def mss(reference: Sounds, estimate: Sounds, sample_rate: int) -> PerItem:
    """Multi-scale spectral distance: mean absolute difference of log-mel spectrograms, mean over three resolutions.

    Each spectrogram is in dB relative to its own loudest value, so that a sound and a quieter copy are alike, as long
    as what is 80 dB below the loudest is above the power floor (for a sine: down to about -35 dB of full scale). A
    silent sound is 0 dB everywhere: it is far from a tone, but near to stationary noise.

    Args:
        reference: Mono sounds of full scale 1, items x samples.
        estimate: Sounds of the same shape.
        sample_rate: Hz.

    Returns:
        dB, 0 to 80, one an item.

    Raises:
        ValueError: If the arrays can't be compared, the sounds are shorter than 0.1 s or the rate is below 200 Hz.
    """
    return _per_item(_mss, 0.0, reference, estimate, sample_rate)


def wmfcc(reference: Sounds, estimate: Sounds, sample_rate: int) -> PerItem:
    """Distance of cepstra under dynamic time warping: how alike timbre is, wherever in time it is.

    The cost of a pair of frames is the mean absolute difference of their 20 MFCC. The first of them is the level: a
    change of g dB moves it by g * sqrt(128) and the distance by up to 0.57 g. Memory grows with the square of the
    duration: some 5 MB for 4 s.

    Returns:
        Cost of the best path divided by the sum of the two numbers of frames, one an item.
    """
    return _per_item(_wmfcc, 0.0, reference, estimate, sample_rate)


def sot(reference: Sounds, estimate: Sounds, sample_rate: int) -> PerItem:
    """Spectral optimal transport: how far along the frequency axis the magnitude of each frame has to be moved.

    Each frame of magnitudes is divided by its sum, but by no less than 1e-6. A silent frame so has no mass, which is as
    if its mass were beyond the highest frequency: its distance to another silent frame is 0, to a sounding one 1 minus
    the centroid of that frame as a part of the axis, nearly 1 for a low tone.

    Returns:
        Wasserstein-1 distance in parts of the frequency axis, mean over frames, 0 to 1, one an item.
    """
    return _per_item(_sot, 0.0, reference, estimate, sample_rate)


def rms(reference: Sounds, estimate: Sounds, sample_rate: int) -> PerItem:
    """Cosine similarity of the envelopes: RMS of frames of 50 ms, each 25 ms; 1 between silences, 0 with only one.

    Returns:
        Similarity, 0 to 1, one an item; higher is better.
    """
    return _per_item(_rms, 1.0, reference, estimate, sample_rate)


def _per_item(
    pair: Callable[[Sound, Sound, int], float], perfect: float, reference: Sounds, estimate: Sounds, sample_rate: int
) -> PerItem:
    """Apply a metric of two sounds to each item on its own, so that no item depends on another."""
    same_shape(reference, estimate)
    if reference.ndim != 2:
        raise ValueError(f"the sounds have the shape {reference.shape}, expected items x samples")
    if sample_rate < LOWEST_RATE:
        raise ValueError(f"sample_rate = {sample_rate} Hz, expected at least {LOWEST_RATE} Hz")
    if reference.shape[1] < round(SHORTEST * sample_rate):
        raise ValueError(f"{reference.shape[1]} samples at {sample_rate} Hz, expected at least {SHORTEST} s")
    pairs = zip(reference, estimate, strict=True)
    # the same sound is perfect whatever FFT and BLAS round; sounds that differ are always compared
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
    magnitudes = [np.sqrt(_power(sound, length, hop)) for sound in (reference, estimate)]
    sums = [np.cumsum(magnitude, axis=1, dtype=np.float64) for magnitude in magnitudes]
    first, second = (total / np.maximum(total[:, -1:], SILENT) for total in sums)
    return float(np.mean(np.abs(first - second)))  # over bins too: the axis has length 1


def _rms(reference: Sound, estimate: Sound, sample_rate: int) -> float:
    length, hop = round(0.050 * sample_rate), round(0.025 * sample_rate)
    frames = [np.square(_frames(sound, length, hop), dtype=np.float64) for sound in (reference, estimate)]
    first, second = (np.sqrt(frame.mean(axis=1)) for frame in frames)
    norms = np.linalg.norm(first), np.linalg.norm(second)
    if min(norms) == 0:
        return float(max(norms) == 0)
    # unlike the scalar product, exact for envelopes that are parallel, and at most 1
    cosine = 1 - np.sum(np.square(first / norms[0] - second / norms[1])) / 2
    return float(max(cosine, 0.0))


def _frames(audio: Sound, length: int, hop: int) -> Float[np.ndarray, "frames length"]:
    """Centred frames, a view; `length` and `hop` in samples."""
    return sliding_window_view(np.pad(audio, length // 2), length)[::hop]


def _power(audio: Sound, n_fft: int, hop: int) -> Float[np.ndarray, "frames bins"]:
    """Power spectra of Hann windows of `n_fft` samples, `hop` samples apart."""
    frames, window = _frames(audio, n_fft, hop), _window(n_fft)
    power = np.empty((len(frames), n_fft // 2 + 1), dtype=np.float32)
    for start in range(0, len(frames), BLOCK):
        spectrum = scipy.fft.rfft(frames[start : start + BLOCK] * window)
        power[start : start + BLOCK] = spectrum.real**2 + spectrum.imag**2
    return power


def _mel(audio: Sound, sample_rate: int, window: float, hop: float, bands: int) -> Float[np.ndarray, "frames bands"]:
    """Mel power; `window` and `hop` in seconds."""
    n_fft = round(window * sample_rate)
    return _power(audio, n_fft, round(hop * sample_rate)) @ _bank(sample_rate, n_fft, bands)


_window = functools.cache(hann)


@functools.cache
def _bank(sample_rate: int, n_fft: int, bands: int) -> Float[np.ndarray, "bins bands"]:
    """Slaney's mel filters. Below 4 kHz some are narrower than a bin and stay empty."""
    return np.ascontiguousarray(mel_bank(sample_rate, n_fft, bands).T)


def _decibels(power: Float[np.ndarray, "frames bands"], one: float) -> Float[np.ndarray, "frames bands"]:
    """Power in dB relative to the power `one`, at most `DYNAMICS` below the largest."""
    decibels = 10 * np.log10(np.maximum(power, FLOOR)) - 10 * math.log10(max(one, FLOOR))
    return np.maximum(decibels, decibels.max() - DYNAMICS)


def _warp(cost: Float[np.ndarray, "rows columns"]) -> float:
    """Cost of the cheapest path through a matrix of costs: steps to the right or down count once, diagonal ones twice.

    Goes through the anti-diagonals: all cells of one follow from the two before it.
    """
    rows, columns = cost.shape
    skewed = np.full((rows + columns - 1, rows), np.inf)  # line k holds the cells whose row and column add up to k
    across, down = skewed.strides
    as_strided(skewed, cost.shape, (across + down, across))[:] = cost
    lines = [np.full(rows + 1, np.inf) for _ in range(3)]
    before, last, new = ((line[:-1], line[1:]) for line in lines)  # views of what is above each row, and of the row
    last[1][0] = cost[0, 0]
    for costs in skewed[1:]:
        diagonal, row = before[0], new[1]
        diagonal += costs  # once here and once below
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
        silence="defined; a silent sound is 0 dB in all bands, so that steady noise is the nearest to it",
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
        silence="defined; the mass of a silent frame counts as beyond the highest frequency",
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
