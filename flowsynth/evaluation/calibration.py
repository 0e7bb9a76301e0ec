"""Calibration of models that draw presets: coverage of central intervals, and the width of the posterior.

If a density is calibrated, the true value of a parameter has a uniformly distributed rank among the draws. The ranks
give the empirical coverage of central intervals, which is compared with the nominal one. A calibrated density can still
be wide: `spread` is the standard deviation of the draws for one sound divided by that of the training presets; it is 1
where the sound does not constrain the parameter.

References:
    Talts et al. 2018, "Validating Bayesian inference algorithms with simulation-based calibration": the ranks.
    Hermans et al. 2022, "A crisis in simulation-based inference?": expected coverage.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from flowsynth.core.seeding import derive_seed
from flowsynth.models.nn.transforms import WIDTH


def ranks(
    truth: Float[np.ndarray, "items parameters"], draws: Float[np.ndarray, "items draws parameters"], seed: int
) -> Int[np.ndarray, "items parameters"]:
    """Count the draws below the truth; ties are broken at random.

    Many values are exactly 0 or 1. Models learn them with noise of width `WIDTH` and clamp their draws, so draws within
    half that width of the truth are ties. Without random tie-breaking a calibrated density would not have uniform
    ranks.

    Args:
        truth: True values, in [0, 1].
        draws: Draws for each item.
        seed: Seed of the tie-breaking.

    Returns:
        Ranks, from 0 to the number of draws.
    """
    offset = draws - truth[:, None]
    below, equal = (offset < -WIDTH / 2).sum(axis=1), (np.abs(offset) <= WIDTH / 2).sum(axis=1)
    return below + np.random.default_rng(derive_seed(seed, "ranks")).integers(0, equal + 1)


def coverage(rank: Int[np.ndarray, " items"], draws: int) -> pd.DataFrame:
    """Compare the nominal with the empirical coverage of central intervals.

    Args:
        rank: Ranks, as returned by `ranks`.
        draws: Number of draws.

    Returns:
        Columns expected and found, one row for each interval between the k-th draw from below and the k-th from above.
    """
    rows = []
    for cut in range(1, (draws + 1) // 2 + 1):
        inside = (rank >= cut) & (rank <= draws - cut)
        rows.append(((draws + 1 - 2 * cut) / (draws + 1), float(inside.mean())))
    return pd.DataFrame(rows, columns=["expected", "found"])


def calibration_table(
    model: str,
    names: tuple[str, ...],
    truth: Float[np.ndarray, "items parameters"],
    draws: Float[np.ndarray, "items draws parameters"],
    prior: Float[np.ndarray, " parameters"],
    seed: int,
) -> pd.DataFrame:
    """Measure the calibration of a model for each parameter.

    Args:
        model: Name of the model.
        names: Names of the parameters.
        truth: True values, in [0, 1].
        draws: Draws for each item.
        prior: Standard deviation of each parameter over the training presets.
        seed: Seed of the tie-breaking.

    Returns:
        Columns model, parameter, items, draws, error (mean of |found - expected| coverage over intervals), lean (mean
        rank divided by the number of draws, minus a half: positive if the draws are too low), spread.
    """
    rank, count = ranks(truth, draws, seed), draws.shape[1]
    rows: list[Mapping[str, object]] = []
    for column, name in enumerate(names):
        intervals = coverage(rank[:, column], count)
        spread = float(draws[:, :, column].std(axis=1, ddof=1).mean() / prior[column]) if prior[column] > 0 else np.nan
        rows.append(
            {
                "model": model,
                "parameter": name,
                "items": len(truth),
                "draws": count,
                "error": float((intervals["found"] - intervals["expected"]).abs().mean()),
                "lean": float(rank[:, column].mean() / count - 0.5),
                "spread": spread,
            }
        )
    return pd.DataFrame(rows)
