"""Metrics of mel power spectrograms (64 bands, linear power, as `flowsynth.data.features.Mel` makes them)."""

import numpy as np
from jaxtyping import Float

from flowsynth.metrics import Metric, same_shape

Power = Float[np.ndarray, "items mels frames"]
PerItem = Float[np.ndarray, " items"]

FLOOR = 1e-3  # added to the power before the logarithm, as in the features
NEAR_SILENT = 1.0  # Frobenius norm of a target's mel power below which a ratio to it says nothing


def spectral_convergence(reference: Power, estimate: Power) -> PerItem:
    """Frobenius norm of the difference, relative to that of the reference; NaN where the reference is near-silent."""
    same_shape(reference, estimate)
    norm = np.linalg.norm(reference.astype(np.float64), axis=(1, 2))
    error = np.linalg.norm(reference.astype(np.float64) - estimate, axis=(1, 2))
    return np.divide(error, norm, out=np.full_like(norm, np.nan), where=norm >= NEAR_SILENT)


def mel_mse(reference: Power, estimate: Power) -> PerItem:
    """Mean squared error of the power."""
    same_shape(reference, estimate)
    return np.mean((reference.astype(np.float64) - estimate) ** 2, axis=(1, 2))


def log_mel_l1(reference: Power, estimate: Power) -> PerItem:
    """Mean absolute difference of log(power + 1e-3)."""
    same_shape(reference, estimate)
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
        silence="defined; all that is below the floor counts as equal",
        gain="aware",
        domain="spectral",
        function=log_mel_l1,
    ),
)
