"""Mel filter banks and Hann windows: the numbers of librosa, to the bit, without the seconds that it takes to import.

References:
    Slaney, "Auditory toolbox", version 2, Interval Research, 1998: the scale, linear to 1 kHz and logarithmic above, and
    triangles of the same area.
    McFee et al. 2015, "librosa", whose `filters.mel` the tests compare with.
"""

import numpy as np
from jaxtyping import Float

LINEAR = 200 / 3  # Hz a mel below `CORNER`
CORNER = 1000.0  # Hz
OCTAVES = np.log(6.4) / 27.0  # natural logarithm of the ratio of two frequencies a mel apart, above `CORNER`


def mel_bank(
    sample_rate: int, n_fft: int, n_mels: int, fmin: float = 0.0, fmax: float | None = None
) -> Float[np.ndarray, "mels bins"]:
    """Make triangular filters, evenly spaced on the mel scale, each of unit area in Hz.

    Args:
        sample_rate: Hz.
        n_fft: Samples in a window.
        n_mels: Number of filters.
        fmin: Lowest frequency, Hz.
        fmax: Highest frequency, Hz; half the sample rate if None.
    """
    bins = np.fft.rfftfreq(n_fft, 1.0 / sample_rate)
    ends = np.linspace(to_mel(fmin), to_mel(sample_rate / 2 if fmax is None else fmax), n_mels + 2)
    edges = from_mel(ends)
    widths = np.diff(edges)
    away = edges[:, None] - bins
    rising, falling = -away[:-2] / widths[:-1, None], away[2:] / widths[1:, None]
    bank = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    return (bank * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


def to_mel(frequency: float) -> float:
    """Place a frequency in Hz on the mel scale."""
    if frequency < CORNER:
        return frequency / LINEAR
    return CORNER / LINEAR + np.log(frequency / CORNER) / OCTAVES


def from_mel(mels: Float[np.ndarray, " points"]) -> Float[np.ndarray, " points"]:
    """Give frequencies in Hz."""
    corner = CORNER / LINEAR
    return np.where(mels >= corner, CORNER * np.exp(OCTAVES * (mels - corner)), LINEAR * mels)


def hann(length: int) -> Float[np.ndarray, " length"]:
    """Make a periodic Hann window of so many samples, float32."""
    return (0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, length + 1)))[:-1].astype(np.float32)
