"""Perceptual distances of the systems of a run on a sample of its test items, and which metrics agree with them.

References:
    Spearman 1904, "The proof and measurement of association between two things".
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from flowsynth.core import hdf5
from flowsynth.core.layout import SystemPaths
from flowsynth.core.progress import log, track
from flowsynth.core.seeding import derive_seed, uniform_by_id
from flowsynth.evaluation.statistics import bootstrap_means, interval, paired_scores
from flowsynth.metrics import perceptual, registry
from flowsynth.rendering.audio import read_checked

Folds = list[tuple[np.ndarray, np.ndarray]]  # perceptual distances and another metric, items x systems
RESAMPLES = 500
FEWEST = 3  # systems, and items, that are compared
COLUMNS = ["fold", "model", "item", "sample", "metric", "value"]


def select_items(ids: Sequence[str], count: int | None, seed: int, fold: int) -> list[str]:
    """Select items by their ids, independently of the items that are not selected; all if `count` is None."""
    order = np.argsort(uniform_by_id(ids, seed, "perception", fold), kind="stable")
    return [ids[index] for index in sorted(order[:count])]


def perceptual_distances(
    targets: Sequence[Path], systems: Sequence[SystemPaths], items: Sequence[str], fold: int
) -> pd.DataFrame:
    """Compute all perceptual metrics of the first prediction of systems.

    Args:
        targets: Audio files that contain the items.
        systems: Files of each system, of one fold.
        items: Ids of the items.
        fold: Number of the fold.

    Returns:
        Table with the columns of `COLUMNS`.

    Raises:
        ValueError: If an item is missing, or sounds have different sample rates.
    """
    reference, rate = read_checked(targets, items, (), np.zeros((len(items), 0)))
    rows = []
    for paths in track(systems, len(systems), "perceptual distances"):
        with hdf5.reading(paths.predictions) as file:
            places = {name: place for place, name in enumerate(hdf5.ids(file).tolist())}
            missing = [item for item in items if item not in places]
            if missing:
                raise ValueError(
                    f"{len(missing)} items, the first of them {missing[0]}, are not in {paths.predictions}"
                )
            estimates, names = file["estimates"][:, 0][[places[item] for item in items]], hdf5.names(file)
        estimate, estimate_rate = read_checked([paths.audio], [f"{item}/0" for item in items], names, estimates)
        if estimate_rate != rate:
            raise ValueError(f"{paths.audio} has {estimate_rate} Hz, the targets have {rate} Hz")
        for metric in perceptual.METRICS:
            values = metric.function(reference, estimate, rate)
            labels = {"fold": fold, "model": paths.name, "item": items, "sample": 0, "metric": metric.name}
            rows.append(pd.DataFrame(labels | {"value": values}))
    return pd.concat(rows, ignore_index=True)[COLUMNS]


def summarise(distances: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Summarise perceptual distances by metric and system: columns metric, model, items, mean, low, high (95 %).

    Raises:
        ValueError: If the oracle is not perfect.
    """
    rows = []
    oracle = distances[distances["model"] == "oracle"]
    for metric in perceptual.METRICS:
        if (oracle.loc[oracle["metric"] == metric.name, "value"] != metric.perfect).any():
            raise ValueError(
                f"{metric.name} of the oracle is not {metric.perfect}: sounds of targets and oracle differ"
            )
    for metric in distances["metric"].unique():
        values = paired_scores(distances, metric)
        draws = pd.DataFrame(bootstrap_means(values, derive_seed(seed, "perception", metric)), columns=values.columns)
        means = values.groupby(level="fold").mean().mean().sort_values(kind="stable")
        rows += [(metric, model, len(values), mean, *interval(draws[model])) for model, mean in means.items()]
    return pd.DataFrame(rows, columns=["metric", "model", "items", "mean", "low", "high"])


def agreement(distances: pd.DataFrame, scores: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Correlate the ranks of every metric with those of the perceptual metrics.

    Args:
        distances: Perceptual distances, as returned by `perceptual_distances`.
        scores: Scores of the same systems, as returned by `flowsynth.evaluation.summary.gather`; of several samples, the
            first is used.
        seed: Seed of the bootstrap.

    Returns:
        One row for each perceptual metric, metric, and level: ``items``, the mean over systems and folds of Spearman's
        correlation over items, or ``systems``, Spearman's correlation of the means of systems; with its 95 % interval
        over folds and items. Both are without the oracle, and positive if the metrics agree on what is closer. A metric
        with fewer than `FEWEST` systems or items is left out.
    """
    rows, first = [], scores[scores["sample"] == 0]
    for name in distances["metric"].unique():
        perceived = paired_scores(distances, name).drop(columns="oracle", errors="ignore")
        for metric in registry().values():
            values = paired_scores(first, metric.name)
            index, models = perceived.index.intersection(values.index), perceived.columns.intersection(values.columns)
            if min(len(index), len(models)) < FEWEST:
                log.warning("%s of %d systems and %d items: too few to compare", metric.name, len(models), len(index))
                continue
            sign = -1 if metric.better == "higher" else 1
            a, b = perceived.loc[index, models], sign * values.loc[index, models]
            folds = [rows.to_numpy() for _, rows in pd.Series(range(len(index)), index).groupby(level="fold")]
            pairs = [(a.to_numpy()[rows], b.to_numpy()[rows]) for rows in folds]
            resampled = _resample(pairs, derive_seed(seed, "agreement", name, metric.name))
            for level, correlate in (("systems", _over_systems), ("items", _over_items)):
                limits = interval(pd.Series([correlate(resample) for resample in resampled]))
                rows.append((name, metric.name, level, len(models), len(index), correlate(pairs), *limits))
    columns = ["perceptual", "metric", "level", "systems", "items", "correlation", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _resample(pairs: Folds, seed: int) -> list[Folds]:
    """Resample folds, and the items within each, with replacement; see `bootstrap_weights`."""
    rng, resamples = np.random.default_rng(seed), []
    for _ in range(RESAMPLES):
        chosen = [pairs[fold] for fold in rng.integers(len(pairs), size=len(pairs))]
        rows = [rng.integers(len(a), size=len(a)) for a, _ in chosen]
        resamples.append([(a[row], b[row]) for (a, b), row in zip(chosen, rows, strict=True)])
    return resamples


def _over_systems(folds: Folds) -> float:
    """Correlate the means over folds of the means over items."""
    a, b = (np.mean([pair[side].mean(axis=0) for pair in folds], axis=0) for side in (0, 1))
    return float(_correlations(a[None], b[None])[0])


def _over_items(folds: Folds) -> float:
    """Average the correlations over items of all systems and folds."""
    return float(np.mean([_correlations(a.T, b.T).mean() for a, b in folds]))


def _correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute Spearman's correlation of each row of two arrays; 0 for a constant row."""
    ranks = [rankdata(array, axis=1) for array in (a, b)]
    x, y = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    scale = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return np.divide((x * y).sum(axis=1), scale, out=np.zeros(len(a)), where=scale > 0)
