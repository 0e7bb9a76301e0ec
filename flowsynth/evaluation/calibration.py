"""Whether a model that draws presets draws them as often as it should, and which knobs a sound does not determine.

Of a density that is right, the true value of a parameter is at any place among the draws, in order, equally often. From the
ranks of the true values come the coverage of central intervals, expected and found, and its mean error. What is right on
average can still be wide: `spread` is the standard deviation of the draws for one sound over that of the training presets,
1 where the sound tells nothing of the parameter.

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
    """Count the draws below the truth, from 0 to their number; of those that are equal to it a number by chance.

    Many values are exactly 0 or 1, and models learn them with noise of `WIDTH` around them, which draws are clamped from:
    what is within half of it of the truth is equal to it. Without chance a density that is right would not look so.

    Args:
        truth: In [0, 1].
        draws: Of each item.
        seed: Of that chance.
    """
    apart = draws - truth[:, None]
    below, equal = (apart < -WIDTH / 2).sum(axis=1), (np.abs(apart) <= WIDTH / 2).sum(axis=1)
    return below + np.random.default_rng(derive_seed(seed, "ranks")).integers(0, equal + 1)


def coverage(found: Int[np.ndarray, " items"], draws: int) -> pd.DataFrame:
    """Compare how often central intervals should hold the truth with how often they do.

    Args:
        found: Ranks, as made by `ranks`.
        draws: Number of draws.

    Returns:
        Columns expected and found, one row for each interval between the k-th draw from below and the k-th from above.
    """
    rows = []
    for cut in range(1, (draws + 1) // 2 + 1):
        inside = (found >= cut) & (found <= draws - cut)
        rows.append(((draws + 1 - 2 * cut) / (draws + 1), float(inside.mean())))
    return pd.DataFrame(rows, columns=["expected", "found"])


def table(
    model: str,
    names: tuple[str, ...],
    truth: Float[np.ndarray, "items parameters"],
    draws: Float[np.ndarray, "items draws parameters"],
    prior: Float[np.ndarray, " parameters"],
    seed: int,
) -> pd.DataFrame:
    """Say how well a model is calibrated, for each parameter.

    Args:
        model: Its name.
        names: Of the parameters.
        truth: In [0, 1].
        draws: Of each item.
        prior: Standard deviation of each parameter over the training presets.
        seed: Of chance among equal values.

    Returns:
        Columns model, parameter, items, draws, error (mean of |found - expected| coverage over intervals), lean (mean rank
        over the number of draws, minus a half: above 0 the draws are too low), spread.
    """
    found, count = ranks(truth, draws, seed), draws.shape[1]
    rows: list[Mapping[str, object]] = []
    for column, name in enumerate(names):
        intervals = coverage(found[:, column], count)
        spread = float(draws[:, :, column].std(axis=1, ddof=1).mean() / prior[column]) if prior[column] > 0 else np.nan
        rows.append(
            {
                "model": model,
                "parameter": name,
                "items": len(truth),
                "draws": count,
                "error": float((intervals["found"] - intervals["expected"]).abs().mean()),
                "lean": float(found[:, column].mean() / count - 0.5),
                "spread": spread,
            }
        )
    return pd.DataFrame(rows)
