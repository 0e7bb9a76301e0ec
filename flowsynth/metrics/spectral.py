"""Metrics of mel power spectrograms.

References:
    Esling et al., "Universal audio synthesizer control with normalizing flows", 2019: the settings of the spectrogram.
"""

import functools

import numpy as np
from jaxtyping import Float

from flowsynth.core.mel_filters import mel_bank, power_spectrogram
from flowsynth.metrics import Metric, check_pair

Power = Float[np.ndarray, "items mels frames"]
PerItem = Float[np.ndarray, " items"]

N_MELS = 64
N_FFT = 2048  # samples
HOP_LENGTH = 1024  # samples
FMIN, FMAX = 30, 11000  # Hz
FRAMES = 80  # the first ones are used
FLOOR = 1e-3  # added to the power before the logarithm
NEAR_SILENT = 1.0  # Frobenius norm of the reference's mel power below which a ratio to it is undefined
MIN_SAMPLE_RATE = 2 * FMAX  # Hz
MIN_SAMPLES = (FRAMES - 1) * HOP_LENGTH


def mel_power(sounds: Float[np.ndarray, "items samples"], sample_rate: int) -> Power:
    """Compute mel power spectrograms.

    The settings are the defaults of `flowsynth.data.features.Mel`, which computes the same in torch, to single
    precision.

    Args:
        sounds: Mono sounds of full scale 1, with at least `MIN_SAMPLES` samples.
        sample_rate: Sample rate in Hz, at least `MIN_SAMPLE_RATE`.

    >>> mel_power(np.zeros((1, 88200), np.float32), 22050).shape
    (1, 64, 80)
    """
    bank = _bank(sample_rate)
    return np.stack([(power_spectrogram(sound, N_FFT, HOP_LENGTH)[:FRAMES] @ bank).T for sound in sounds])


@functools.cache
def _bank(sample_rate: int) -> Float[np.ndarray, "bins mels"]:
    return np.ascontiguousarray(mel_bank(sample_rate, N_FFT, N_MELS, FMIN, FMAX).T)


def spectral_convergence(reference: Power, estimate: Power) -> PerItem:
    """Compute the Frobenius norm of the difference relative to that of the reference; NaN for near-silent references.

    >>> spectral_convergence(np.array([[[3.0, 4.0]]]), np.array([[[3.0, 0.0]]]))
    array([0.8])
    """
    check_pair(reference, estimate)
    norm = np.linalg.norm(reference.astype(np.float64), axis=(1, 2))
    error = np.linalg.norm(reference.astype(np.float64) - estimate, axis=(1, 2))
    return np.divide(error, norm, out=np.full_like(norm, np.nan), where=norm >= NEAR_SILENT)


def mel_mse(reference: Power, estimate: Power) -> PerItem:
    """Compute the mean squared error of the power.

    >>> mel_mse(np.array([[[1.0, 2.0]]]), np.array([[[3.0, 3.0]]]))
    array([2.5])
    """
    check_pair(reference, estimate)
    return np.mean((reference.astype(np.float64) - estimate) ** 2, axis=(1, 2))


def log_mel_l1(reference: Power, estimate: Power) -> PerItem:
    """Compute the mean absolute difference of log(power + 1e-3), in nats.

    >>> log_mel_l1(np.array([[[0.0, 1.0]]]), np.array([[[0.0, 0.099]]])).round(3)
    array([1.152])
    """
    check_pair(reference, estimate)
    reference, estimate = reference.astype(np.float64), estimate.astype(np.float64)
    return np.mean(np.abs(np.log(reference + FLOOR) - np.log(estimate + FLOOR)), axis=(1, 2))


METRICS = (
    Metric(
        name="spectral_convergence",
        label="Spectral convergence",
        unit="",
        better="lower",
        perfect=0.0,
        range=(0.0, float("inf")),
        definition="||S - S'||_F / ||S||_F, S mel power",
        source="Esling et al. 2019",
        silence="NaN for a target with ||S||_F < 1; 1 for a silent estimate",
        gain="aware",
        domain="spectral",
        function=spectral_convergence,
    ),
    Metric(
        name="mel_mse",
        label="Mel MSE",
        unit="power^2",
        better="lower",
        perfect=0.0,
        range=(0.0, float("inf")),
        definition="mean over bands and frames of (S - S')^2, S mel power",
        source="Esling et al. 2019",
        silence="defined; loud targets dominate its mean",
        gain="aware",
        domain="spectral",
        function=mel_mse,
    ),
    Metric(
        name="log_mel_l1",
        label="Log-mel L1",
        unit="nat",
        better="lower",
        perfect=0.0,
        range=(0.0, float("inf")),
        definition="mean over bands and frames of |log(S + 1e-3) - log(S' + 1e-3)|, S mel power",
        source="standard; the floor is that of the features",
        silence="defined; power far below the floor has almost no effect",
        gain="aware",
        domain="spectral",
        function=log_mel_l1,
    ),
)
