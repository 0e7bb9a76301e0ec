"""The metrics: pure functions, reference first and estimate second, each with a record of what it is.

A metric takes two arrays whose first axis is the items and gives one value an item. Each module holds those of one domain
and lists them in ``METRICS``: `parameters` compares values in [0, 1], `spectral` mel power spectrograms, `audio` sounds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

JUDGE = "log_mel_l1"  # the metric that says which model is best, where one has to


@dataclass(frozen=True)
class Metric:
    """What a metric is.

    Attributes:
        name: In tables of scores.
        label: In figures and printed tables.
        unit: Of its values; empty where it has none.
        better: ``lower`` or ``higher``.
        perfect: Value when the estimate is the reference.
        range: Smallest and largest value possible.
        definition: In one line.
        source: Where it comes from.
        silence: What it says when the reference or the estimate is silent.
        gain: Whether a mere change of level changes it.
        domain: What it compares.
        function: Reference and estimate to one value an item; NaN where the metric is not defined.
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
    """All metrics by name, in the order of tables."""
    from flowsynth.metrics import audio, parameters, spectral

    listed = [*parameters.METRICS, *spectral.METRICS, *audio.METRICS]
    return {metric.name: metric for metric in listed}


def same_shape(reference: np.ndarray, estimate: np.ndarray) -> None:
    """Refuse arrays that can't be compared.

    Raises:
        ValueError: If the shapes differ or a value is not finite.
    """
    if reference.shape != estimate.shape:
        raise ValueError(f"reference has the shape {reference.shape}, the estimate {estimate.shape}")
    for name, array in (("reference", reference), ("estimate", estimate)):
        if not np.isfinite(array).all():
            raise ValueError(f"the {name} is not finite")
