"""Perceptual metrics: distances that were fitted to listening tests. They cost too much for every prediction of a run.

References:
    Alakuijala et al. 2025, "Zimtohrli: An efficient psychoacoustic audio similarity metric": a model of the cochlea,
        tuned to listening tests of audio codecs.
"""

import numpy as np
import soxr
import torch
from jaxtyping import Float

from flowsynth.metrics import Metric, check_pair

ZIMTOHRLI_RATE = 48_000  # Hz
DENORMAL = 1e-40
MIN_DURATION = 0.1  # s: the package fails on much shorter sounds


def zimtohrli(
    reference: Float[np.ndarray, "items samples"], estimate: Float[np.ndarray, "items samples"], sample_rate: int
) -> Float[np.ndarray, " items"]:
    """Compute the psychoacoustic distance Zimtohrli, about 0.1 s of a core for a pair of 4 s.

    Sounds are resampled to 48 kHz; full scale is 80 dB SPL. The distance is symmetric. It hardly changes with pitch: two
    sines a semitone apart are at 0.0002, a sine and silence at 0.01.

    Args:
        reference: Mono sounds of full scale 1, items x samples.
        estimate: Sounds of the same shape.
        sample_rate: Sample rate in Hz.

    Returns:
        One value per item, at least 0; 0 for equal sounds.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or the sounds are shorter than 0.1 s.
        ModuleNotFoundError: If the package zimtohrli is not installed.
    """
    from zimtohrli import Pyohrli

    check_pair(reference, estimate)
    samples = reference.shape[1]
    if samples < MIN_DURATION * sample_rate:
        raise ValueError(f"the sounds have {samples} samples at {sample_rate} Hz, expected at least {MIN_DURATION} s")
    metric = Pyohrli()

    def distance(*pair: np.ndarray) -> float:
        return metric.distance(
            *(soxr.resample(sound.astype(np.float32), sample_rate, ZIMTOHRLI_RATE) for sound in pair)
        )

    # with denormal numbers, in sounds that fade out, the package is ten times slower; the values are equal without them
    keeps_denormals = bool(torch.tensor([DENORMAL]) * 0.5 > 0)
    torch.set_flush_denormal(True)
    try:
        return np.array([distance(*pair) for pair in zip(reference, estimate, strict=True)])
    finally:
        torch.set_flush_denormal(not keeps_denormals)


METRICS = (
    Metric(
        name="zimtohrli",
        label="Zimtohrli",
        unit="",
        better="lower",
        perfect=0.0,
        range=(0.0, float("inf")),
        definition="psychoacoustic distance of the outputs of a cochlear model, with a time warping",
        source="Alakuijala et al. 2025",
        silence="defined",
        gain="aware",
        domain="audio",
        function=zimtohrli,
    ),
)
