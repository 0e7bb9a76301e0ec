"""Mel filter banks, Hann windows, power spectrograms and their distance in numpy.

Filters and windows are bit-identical to librosa's, which takes seconds to import.

References:
    Slaney, "Auditory toolbox", version 2, Interval Research, 1998: the scale, linear to 1 kHz and logarithmic above,
    and triangles of the same area.
    McFee et al. 2015, "librosa": `filters.mel`, with which the tests compare.
"""

import functools

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import sliding_window_view

LINEAR = 200 / 3  # Hz per mel below `CORNER`
CORNER = 1000.0  # Hz
OCTAVES = np.log(6.4) / 27.0  # natural logarithm of the ratio of two frequencies a mel apart, above `CORNER`
BLOCK = 128  # frames transformed at once, to fit the cache of a core


def mel_bank(
    sample_rate: int, n_fft: int, n_mels: int, fmin: float = 0.0, fmax: float | None = None
) -> Float[np.ndarray, "mels bins"]:
    """Compute triangular filters, evenly spaced on the mel scale, each of unit area in Hz.

    Args:
        sample_rate: Sample rate in Hz.
        n_fft: Window length in samples.
        n_mels: Number of filters.
        fmin: Lowest frequency in Hz.
        fmax: Highest frequency in Hz; half the sample rate if None.

    >>> mel_bank(22050, 2048, 64).shape
    (64, 1025)
    """
    bins = np.fft.rfftfreq(n_fft, 1.0 / sample_rate)
    edges = band_edges(n_mels, fmin, sample_rate / 2 if fmax is None else fmax)
    widths = np.diff(edges)
    offsets = edges[:, None] - bins
    rising, falling = -offsets[:-2] / widths[:-1, None], offsets[2:] / widths[1:, None]
    bank = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    return (bank * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


def band_edges(n_mels: int, fmin: float, fmax: float) -> Float[np.ndarray, " edges"]:
    """Return the ends and peaks of triangular filters in Hz: filter `i` begins at edge `i` and ends at edge `i` + 2."""
    return from_mel(np.linspace(to_mel(fmin), to_mel(fmax), n_mels + 2))


def check_bands(sample_rate: int, n_fft: int, n_mels: int, fmin: float, fmax: float) -> None:
    """Check that a spectrogram of mel bands is possible; see `mel_bank` for the arguments.

    Raises:
        ValueError: If the range of frequencies is empty or exceeds half the sample rate, or if a filter lies between two
            bins of the spectrum, so that its band is always empty.

    >>> check_bands(22050, 2048, 64, 30, 12000)
    Traceback (most recent call last):
    ValueError: fmax = 12000 Hz, expected at most half the sample rate of 22050 Hz
    """
    if fmin >= fmax:
        raise ValueError(f"fmin = {fmin:g} Hz is not below fmax = {fmax:g} Hz: lower fmin or raise fmax")
    if fmax > sample_rate / 2:
        raise ValueError(f"fmax = {fmax:g} Hz, expected at most half the sample rate of {sample_rate} Hz")
    resolution = sample_rate / n_fft
    empty = _empty_bands(resolution, n_mels, fmin, fmax)
    if empty:
        most = next((bands for bands in range(n_mels - 1, 0, -1) if not _empty_bands(resolution, bands, fmin, fmax)), 0)
        raise ValueError(
            f"n_mels = {n_mels} leaves {empty} bands empty: at most {most} bands are possible with n_fft = {n_fft}; "
            "a larger n_fft allows more"
        )


def _empty_bands(resolution: float, n_mels: int, fmin: float, fmax: float) -> int:
    """Count the filters that lie between two bins of the spectrum, which are `resolution` Hz apart."""
    edges = band_edges(n_mels, fmin, fmax)
    return int(((np.floor(edges[:-2] / resolution) + 1) * resolution >= edges[2:]).sum())


def to_mel(frequency: float) -> float:
    """Convert a frequency from Hz to mel.

    >>> f"{to_mel(1000.0):.3f}"
    '15.000'
    """
    if frequency < CORNER:
        return frequency / LINEAR
    return CORNER / LINEAR + np.log(frequency / CORNER) / OCTAVES


def from_mel(mels: Float[np.ndarray, " points"]) -> Float[np.ndarray, " points"]:
    """Convert frequencies from mel to Hz.

    >>> from_mel(np.array([15.0]))
    array([1000.])
    """
    corner = CORNER / LINEAR
    return np.where(mels >= corner, CORNER * np.exp(OCTAVES * (mels - corner)), LINEAR * mels)


def hann(length: int) -> Float[np.ndarray, " length"]:
    """Compute a periodic Hann window, float32.

    >>> hann(4)
    array([0. , 0.5, 1. , 0.5], dtype=float32)
    """
    return (0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, length + 1)))[:-1].astype(np.float32)


def centred_frames(audio: Float[np.ndarray, " samples"], length: int, hop: int) -> Float[np.ndarray, "frames length"]:
    """Return centred frames of audio, zero-padded at the ends, as a view; `length` and `hop` in samples.

    >>> centred_frames(np.array([1.0, 2.0, 3.0]), 2, 1)
    array([[0., 1.],
           [1., 2.],
           [2., 3.],
           [3., 0.]])
    """
    return sliding_window_view(np.pad(audio, length // 2), length)[::hop]


def power_spectrogram(audio: Float[np.ndarray, " samples"], n_fft: int, hop: int) -> Float[np.ndarray, "frames bins"]:
    """Compute power spectra of centred Hann windows of `n_fft` samples, `hop` samples apart, float32.

    >>> power_spectrogram(np.ones(8, np.float32), 4, 4).shape
    (3, 3)
    """
    from scipy.fft import rfft  # planning checks filters without it

    frames, window = centred_frames(audio, n_fft, hop), _window(n_fft)
    power = np.empty((len(frames), n_fft // 2 + 1), dtype=np.float32)
    for start in range(0, len(frames), BLOCK):
        spectrum = rfft(frames[start : start + BLOCK] * window)
        power[start : start + BLOCK] = spectrum.real**2 + spectrum.imag**2
    return power


def log_mel_distance(
    first: Float[np.ndarray, "*items mels frames"], second: Float[np.ndarray, "*items mels frames"]
) -> Float[np.ndarray, "*items"] | np.floating:
    """Compute the log-mel L1 between spectrograms: the mean absolute difference over bands and frames.

    >>> float(log_mel_distance(np.array([[0.0, 1.0]]), np.array([[2.0, 2.0]])))
    1.5
    """
    return np.abs(first - second).mean(axis=(-2, -1))


_window = functools.cache(hann)
