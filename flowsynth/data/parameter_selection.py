"""Which parameters to infer when only some are: those that people use and that are heard.

The paper chose its 16 and 32 parameters by their use in the presets, a principal component analysis and listening. Here
each continuous parameter gets three figures. Those that are hardly heard are left out, the others are ranked by the mean
of their three ranks, and a set takes the first of them:

* ``usage``: standard deviation over all presets, normalised values.
* ``pca``: share of the parameter's variance that lies on the components that explain 90 % of all variance.
* ``screening``: how much the sound changes when the parameter takes the value that it has in another preset, everything
  else equal: log-mel L1, mean over presets.
"""

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.decomposition import PCA

EXPLAINED = 0.9  # share of variance that the components kept explain
HEARD = 0.1  # mean log-mel L1 below which a parameter is left out


def rank(
    table: pd.DataFrame,
    names: tuple[str, ...],
    distance: Callable[[np.ndarray, np.ndarray], np.ndarray],
    presets: int,
    seed: int,
) -> pd.DataFrame:
    """Rank parameters by usage, principal components and screening.

    Args:
        table: Presets with all their parameters, as made by `flowsynth.data.presets.collect`.
        names: Parameters to rank.
        distance: Takes two arrays of full vectors and gives the distance of their sounds, one value a row.
        presets: Number of presets to screen with.
        seed: Of the choice of these presets and of the values they are given.

    Returns:
        One row a parameter, best first: parameter, usage, pca, screening, mean_rank. Those that are hardly heard come
        last, without a rank.
    """
    every = list(table.columns[3:])
    values = table[list(names)].to_numpy()
    pca = PCA(n_components=EXPLAINED, svd_solver="full").fit(values)
    variance = values.var(axis=0, ddof=1)
    communality = (pca.components_**2 * pca.explained_variance_[:, None]).sum(axis=0)
    rng = np.random.default_rng(seed)
    rows, donors = rng.permutation(len(table))[:presets], rng.permutation(len(table))[:presets]
    full = table[every].to_numpy()
    swapped = np.repeat(full[rows][None], len(names), axis=0)
    for layer, name in zip(swapped, names, strict=True):
        layer[:, every.index(name)] = full[donors, every.index(name)]
    reference = np.concatenate(list(itertools.repeat(full[rows], len(names))))
    screening = distance(reference, swapped.reshape(len(reference), -1)).reshape(len(names), -1).mean(axis=1)
    figures = pd.DataFrame(
        {
            "parameter": names,
            "usage": values.std(axis=0),
            "pca": np.divide(communality, variance, out=np.zeros_like(variance), where=variance > 0),
            "screening": screening,
        }
    )
    heard = figures["screening"] >= HEARD
    ranks = [rankdata(-figures.loc[heard, column]) for column in ("usage", "pca", "screening")]
    figures.loc[heard, "mean_rank"] = np.mean(ranks, axis=0)
    return figures.sort_values(["mean_rank", "parameter"], ignore_index=True)
