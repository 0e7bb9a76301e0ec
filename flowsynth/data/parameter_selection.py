"""Parameter selection: rank parameters by how much presets use them and how audible they are.

The paper chose its 16 and 32 parameters by their use in the presets, a principal component analysis and listening. Here
each continuous parameter gets three scores. Barely audible parameters are excluded, the others are ranked by the mean
of their three ranks, and a set takes the first of them:

* ``usage``: standard deviation over all presets, normalised values.
* ``pca``: share of the parameter's variance on the principal components that explain 90 % of the total variance.
* ``screening``: mean log-mel L1 between the sounds of a preset before and after the parameter takes its value from
  another preset, all else equal.
"""

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.decomposition import PCA

EXPLAINED_VARIANCE = 0.9  # share explained by the principal components that are kept
MIN_SCREENING = 0.1  # mean log-mel L1 below which a parameter is excluded


def rank(
    table: pd.DataFrame,
    names: tuple[str, ...],
    distance: Callable[[np.ndarray, np.ndarray], np.ndarray],
    presets: int,
    seed: int,
) -> pd.DataFrame:
    """Rank parameters by usage, principal components and screening.

    Args:
        table: Presets with all parameters, as returned by `flowsynth.data.presets.collect`.
        names: Parameters to rank.
        distance: Function of two arrays of preset values that returns the distances between their sounds, one per row.
        presets: Number of presets to screen with.
        seed: Seed of the choice of these presets and of the donors of values.

    Returns:
        One row per parameter, best first: parameter, usage, pca, screening, mean_rank. Barely audible parameters come
        last, without a rank.
    """
    all_names = list(table.columns[3:])
    values = table[list(names)].to_numpy()
    pca = PCA(n_components=EXPLAINED_VARIANCE, svd_solver="full").fit(values)
    variance = values.var(axis=0, ddof=1)
    communality = (pca.components_**2 * pca.explained_variance_[:, None]).sum(axis=0)
    rng = np.random.default_rng(seed)
    rows, donors = rng.permutation(len(table))[:presets], rng.permutation(len(table))[:presets]
    full = table[all_names].to_numpy()
    swapped = np.repeat(full[rows][None], len(names), axis=0)
    for layer, name in zip(swapped, names, strict=True):
        layer[:, all_names.index(name)] = full[donors, all_names.index(name)]
    reference = np.concatenate(list(itertools.repeat(full[rows], len(names))))
    screening = distance(reference, swapped.reshape(len(reference), -1)).reshape(len(names), -1).mean(axis=1)
    scores = pd.DataFrame(
        {
            "parameter": names,
            "usage": values.std(axis=0),
            "pca": np.divide(communality, variance, out=np.zeros_like(variance), where=variance > 0),
            "screening": screening,
        }
    )
    audible = scores["screening"] >= MIN_SCREENING
    ranks = [rankdata(-scores.loc[audible, column]) for column in ("usage", "pca", "screening")]
    scores.loc[audible, "mean_rank"] = np.mean(ranks, axis=0)
    return scores.sort_values(["mean_rank", "parameter"], ignore_index=True)
