"""Significance of differences between models: the paper's analysis of variance, and paired tests of all pairs of
models.

All models are scored on the same items, so two models are compared item by item. The items of several folds are pooled;
an item tested in two folds counts twice, as the trainings differ. Near-silent targets, for which a metric is undefined,
are excluded from that metric.

A difference is significant only if two tests with different failure modes agree, in the same direction: Wilcoxon's
test, which accounts for the variation over items but takes one training for all trainings; and the interval of a
bootstrap over folds, that is, over other trainings on other presets, and over the items within them. The direction
matters as most items may be slightly better and a few much worse. With two or three folds, the interval is rather too
narrow than too wide.
"""

import itertools

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.stats import f_oneway, wilcoxon
from statsmodels.stats.multitest import multipletests

from flowsynth.core.seeding import derive_seed

ALPHA = 0.05  # significance level of the corrected p
CONFIDENCE = 0.95  # confidence level of intervals
TEST_COLUMNS = [
    "metric",
    "first",
    "second",
    "items",
    "median_difference",
    "mean_difference",
    "low",
    "high",
    "p",
    "p_holm",
    "differ",
]
RESAMPLES = 2000


def paired_scores(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Pivot a metric to one row per fold and item and one column per model; the mean over samples."""
    rows = scores[scores["metric"] == metric]
    return rows.pivot_table(index=["fold", "item"], columns="model", values="value", aggfunc="mean").dropna()


def interval(draws: pd.Series) -> tuple[float, float]:
    """Return the limits of the 95 % percentile interval of bootstrap samples."""
    low, high = draws.quantile([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def anova(scores: pd.DataFrame) -> pd.DataFrame:
    """Compute the paper's one-way analysis of variance of each metric over all models but the oracle.

    It assumes that the items of different models are independent, which they are not; the paired tests are more
    powerful.

    Args:
        scores: Scores of all items, as returned by `flowsynth.evaluation.summary.gather`.

    Returns:
        Columns metric, models, items, F, p.
    """
    rows = []
    for metric in dict.fromkeys(scores["metric"]):
        values = paired_scores(scores, metric).drop(columns="oracle", errors="ignore")
        if values.shape[1] > 1:
            result = f_oneway(*(values[model] for model in values))
            rows.append((metric, values.shape[1], len(values), float(result.statistic), float(result.pvalue)))
    return pd.DataFrame(rows, columns=["metric", "models", "items", "F", "p"])


def bootstrap_means(values: pd.DataFrame, seed: int) -> Float[np.ndarray, "resamples models"]:
    """Compute the mean over folds of the mean over items, for each resample of `bootstrap_weights`."""
    return bootstrap_weights(values, seed) @ values.to_numpy()


def bootstrap_medians(values: pd.DataFrame, seed: int) -> Float[np.ndarray, "resamples models"]:
    """Compute the median over all items, for each resample of `bootstrap_weights`."""
    weights = bootstrap_weights(values, seed)
    medians = np.empty((len(weights), values.shape[1]))
    for model, column in enumerate(values.to_numpy().T):
        order = column.argsort(kind="stable")
        medians[:, model] = column[order][(weights[:, order].cumsum(axis=1) < 0.5).sum(axis=1).clip(max=len(order) - 1)]
    return medians


def bootstrap_weights(values: pd.DataFrame, seed: int) -> Float[np.ndarray, "resamples items"]:
    """Resample folds, and items within each fold, with replacement.

    All models share the resamples, so that their differences are paired.

    Args:
        values: Scores, as returned by `paired_scores`.
        seed: Seed of the resamples.

    Returns:
        Weight of each item in each resample; the weights of a resample sum to 1.

    References:
        Davison and Hinkley 1997, "Bootstrap methods and their application", section 3.8: the two-level bootstrap.
    """
    rng = np.random.default_rng(seed)
    sizes = values.groupby(level="fold", sort=False).size().to_numpy()
    starts = np.concatenate([[0], np.cumsum(sizes)])
    weights = np.zeros((RESAMPLES, len(values)))
    folds = rng.integers(0, len(sizes), (RESAMPLES, len(sizes)))
    for fold, size in enumerate(sizes):
        rows, _ = np.nonzero(folds == fold)  # a resample with the fold twice is listed twice
        np.add.at(
            weights[:, starts[fold] : starts[fold + 1]],
            rows,
            rng.multinomial(size, np.full(size, 1 / size), len(rows)) / size,
        )
    return weights / len(sizes)


def compare(scores: pd.DataFrame, seed: int, candidate: str | None = None) -> pd.DataFrame:
    """Compare pairs of models on each metric by Wilcoxon's signed-rank test and the bootstrap of `bootstrap_means`.

    Args:
        scores: Scores of all items, as returned by `flowsynth.evaluation.summary.gather`.
        seed: Seed of the bootstrap.
        candidate: Compare only this model with each of the others; all pairs if None.

    Returns:
        Columns metric, first, second, items, median_difference (first minus second), mean_difference (of the means over
        folds), low, high (limits of its 95 % interval), p, p_holm (Holm's correction within the metric), differ
        (whether p_holm is below 0.05, the interval excludes 0, and both favour the same model).

    References:
        Wilcoxon 1945; Holm 1979.
    """
    tables = []
    for metric in dict.fromkeys(scores["metric"]):
        values = paired_scores(scores, metric).drop(columns="oracle", errors="ignore")
        rows: list[tuple] = []
        signs: list[float] = []
        samples = pd.DataFrame(bootstrap_means(values, derive_seed(seed, "compare", metric)), columns=values.columns)
        means = values.groupby(level="fold").mean().mean()
        pairs = [(candidate, other) for other in values if other != candidate]
        for first, second in pairs if candidate else itertools.combinations(values, 2):
            difference = values[first] - values[second]
            # the test is undefined without any difference
            p = float(wilcoxon(difference).pvalue) if difference.any() else 1.0
            # direction of the test: sum of the signed ranks of nonzero differences
            nonzero = difference[difference != 0]
            sign = float((np.sign(nonzero) * nonzero.abs().rank()).sum())
            low, high = interval(samples[first] - samples[second])
            mean = means[first] - means[second]
            rows.append((metric, first, second, len(difference), difference.median(), mean, low, high, p))
            signs.append(sign)
        table = pd.DataFrame(rows, columns=TEST_COLUMNS[:-2])
        if rows:
            rejected, table["p_holm"], *_ = multipletests(table["p"], alpha=ALPHA, method="holm")
            up, down = (table["low"] > 0) & (np.array(signs) > 0), (table["high"] < 0) & (np.array(signs) < 0)
            table["differ"] = rejected & (up | down)
            tables.append(table)
    return pd.concat(tables, ignore_index=True)[TEST_COLUMNS] if tables else pd.DataFrame(columns=TEST_COLUMNS)
