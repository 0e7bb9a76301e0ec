"""Variance components of the scores of a model: folds, training seeds and items.

The model of a score is the sum of a mean, a fold effect, a seed effect, an item effect and a residual: how well one
training does on one item. All effects are random; their variances are estimated by the method of moments, and negative
estimates are set to zero. Items and trainings are nested in folds; within a fold they are crossed.

References:
    Searle, Casella and McCulloch 1992, "Variance components": nested and crossed random effects.
    Bouthillier et al. 2021, "Accounting for variance in machine learning benchmarks".
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from flowsynth.evaluation.score_tables import systems
from flowsynth.evaluation.statistics import paired_scores
from flowsynth.evaluation.summary import number
from flowsynth.metrics import PRIMARY_METRIC, registry

SOURCES = ("fold", "seed", "item", "rest")
PHRASES = {
    "item": "is between sounds",
    "rest": "residual (one training on one sound, and sampling noise)",
    "seed": "between seeds",
    "fold": "between folds",
}
VARIANCE_COLUMNS = ["model", "metric", "folds", "seeds", "items", "mean", *SOURCES, "sd_of_a_training"]


def trainings_by_model(scores: pd.DataFrame) -> dict[str, list[str]]:
    """Map each model trained with several seeds to the names of its trainings, the first seed first."""
    trainings: dict[str, list[str]] = {}
    described = systems(scores)
    for row in described[described["training_seed"] > 1].itertuples():
        if row.Index == f"{row.base_model}_seed{row.training_seed}" and row.base_model in described.index:
            trainings.setdefault(row.base_model, [row.base_model]).append(row.Index)
    return trainings


def variance_components(folds: Sequence[Float[np.ndarray, "items seeds"]]) -> Mapping[str, float]:
    """Estimate the variance components.

    Args:
        folds: Scores of each fold, one row per item and one column per training.

    Returns:
        Variance by source (`SOURCES`); that between folds is NaN if there is only one.
    """
    seeds = folds[0].shape[1]
    counts = np.array([len(values) for values in folds])
    rests, between_seeds, between_items = [], [], []
    for values in folds:
        items = len(values)
        item_means, seed_means = values.mean(axis=1, keepdims=True), values.mean(axis=0, keepdims=True)
        rest = ((values - item_means - seed_means + values.mean()) ** 2).sum() / ((items - 1) * (seeds - 1))
        rests.append(rest)
        between_seeds.append(seed_means.var(ddof=1) - rest / items)
        between_items.append(item_means.var(ddof=1) - rest / seeds)
    rest, seed, item = (max(0.0, float(np.mean(estimates))) for estimates in (rests, between_seeds, between_items))
    fold = np.nan
    if len(folds) > 1:
        means = np.array([values.mean() for values in folds])
        expected = seed / seeds + np.mean(item / counts + rest / (counts * seeds))  # without a fold effect
        fold = max(0.0, float(means.var(ddof=1) - expected))
    return dict(zip(SOURCES, (fold, seed, item, rest), strict=True))


def decompose_variance(scores: pd.DataFrame) -> pd.DataFrame:
    """Decompose the variance of each metric for each model trained with several seeds.

    Args:
        scores: Scores of all items, as returned by `flowsynth.evaluation.summary.gather`.

    Returns:
        The columns of `VARIANCE_COLUMNS`: shares of fold, seed, item and rest in the variance of a single score, and the
        standard deviation of the mean over a fold between trainings (sd_of_a_training).
    """
    rows = []
    for model, names in trainings_by_model(scores).items():
        for metric in dict.fromkeys(scores["metric"]):
            values = paired_scores(scores[scores["model"].isin(names)], metric)
            if values.shape[1] < len(names) or values.empty:
                continue
            folds = [part.to_numpy() for _, part in values.groupby(level="fold")]
            variances = variance_components(folds)
            total = np.nansum(list(variances.values()))
            shares = [variances[source] / total if total else np.nan for source in SOURCES]
            noise = float(np.sqrt(variances["seed"] + np.mean([variances["rest"] / len(part) for part in folds])))
            counts = (len(folds), len(names), sum(map(len, folds)))
            rows.append((model, metric, *counts, float(values.to_numpy().mean()), *shares, noise))
    return pd.DataFrame(rows, columns=VARIANCE_COLUMNS)


def finding(table: pd.DataFrame) -> str:
    """State the variance across training seeds in the primary metric, one line per model."""
    lines = []
    for row in table[table["metric"] == PRIMARY_METRIC].itertuples():
        shares = ", ".join(f"{_share(getattr(row, source))} {phrase}" for source, phrase in PHRASES.items())
        lines.append(
            f"- `{row.model}`, trained {row.seeds} times in each of {row.folds} folds: "
            f"{registry()[PRIMARY_METRIC].label} {number(row.mean)}; the standard deviation of its mean over a fold "
            f"between trainings is {number(row.sd_of_a_training)}. Of the variance of a single score, {shares}."
        )
    return "\n".join(lines) + "\n"


def _share(share: float) -> str:
    return "below 1%" if 0 < share < 0.005 else f"{share:.0%}"
