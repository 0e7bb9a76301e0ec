"""Metrics of parameters: distance of the estimated values from the true ones.

They are easily misread, as different values may sound alike; the audio metrics tell whether they do.
"""

import numpy as np
from jaxtyping import Float, Int

from flowsynth.metrics import Metric, check_pair

Values = Float[np.ndarray, "items parameters"]
PerItem = Float[np.ndarray, " items"]


def parameter_mse(reference: Values, estimate: Values) -> PerItem:
    """Compute the mean squared error of the normalised parameters, one value per item.

    >>> parameter_mse(np.array([[0.0, 1.0]]), np.array([[0.5, 1.0]]))
    array([0.125])
    """
    check_pair(reference, estimate)
    return np.mean((reference.astype(np.float64) - estimate) ** 2, axis=1)


def parameter_mse_n(reference: Values, estimate: Values) -> PerItem:
    """Compute the mean squared error divided by the mean square of the reference over all items.

    The paper's code takes that mean over each batch, so its value depends on the batch size. Here it is taken once:
    pass all items of a test set together.

    >>> parameter_mse_n(np.array([[0.0, 1.0]]), np.array([[0.5, 1.0]])).round(3)
    array([0.25])
    """
    return parameter_mse(reference, estimate) / (np.mean(reference.astype(np.float64) ** 2) + 1e-9)


def category_accuracy(reference: Values, estimate: Values, steps: Int[np.ndarray, " parameters"]) -> PerItem:
    """Compute the share of categories whose value is the true one, one number per item.

    It belongs to no record of `METRICS`, since few data sets have categories.

    Args:
        reference: True categories, in [0, 1].
        estimate: Estimated categories, in [0, 1]; rounded to the nearest value.
        steps: Number of values of each category.

    >>> category_accuracy(np.array([[0.0, 1.0]]), np.array([[0.1, 0.6]]), np.array([2, 5]))
    array([0.5])
    """
    check_pair(reference, estimate)
    return np.mean(np.rint(reference * (steps - 1)) == np.rint(estimate * (steps - 1)), axis=1)


METRICS = (
    Metric(
        name="parameter_mse",
        label="Parameter MSE",
        unit="",
        better="lower",
        perfect=0.0,
        range=(0.0, 1.0),
        definition="mean over the inferred parameters of (v - v')^2, v in [0, 1]",
        source="standard",
        silence="defined",
        gain="not applicable",
        domain="parameters",
        function=parameter_mse,
    ),
    Metric(
        name="parameter_mse_n",
        label="MSE_n",
        unit="",
        better="lower",
        perfect=0.0,
        range=(0.0, float("inf")),
        definition="parameter MSE divided by the mean of v^2 over the whole test set",
        source="Esling et al. 2019; there the divisor is a mean over each batch",
        silence="defined",
        gain="not applicable",
        domain="parameters",
        function=parameter_mse_n,
    ),
)
