"""How sure a difference between models is: the paper's analysis of variance, and paired tests of each two models.

Models are scored on the same items, so two of them are compared item by item. Items of several folds are put together;
an item that is tested in two folds counts as two, as other trainings answered it. Near-silent targets, for which a metric
is not defined, are left out of that metric.

A difference is called one if two things say so that can be wrong in different ways: Wilcoxon's test, which knows how items
differ but takes one training for all trainings, and the interval of a bootstrap that draws folds, which are other trainings
on other presets, and items within them; and if both say so in the same direction: most items may be a little better and
few much worse. With two or three folds such an interval is rather too narrow than too wide.
"""

import itertools

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.stats import f_oneway, wilcoxon
from statsmodels.stats.multitest import multipletests

from flowsynth.core.seeding import derive_seed

SURE = 0.05  # corrected p below which a difference may be called one
LEVEL = 0.95  # of intervals
COLUMNS = [
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


def paired(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Values of a metric, one row a fold and item, one column a model; the mean over samples."""
    rows = scores[scores["metric"] == metric]
    return rows.pivot_table(index=["fold", "item"], columns="model", values="value", aggfunc="mean").dropna()


def interval(draws: pd.Series) -> tuple[float, float]:
    """Limits of the 95 % interval of what was drawn again and again."""
    low, high = draws.quantile([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def anova(scores: pd.DataFrame) -> pd.DataFrame:
    """One-way analysis of variance of each metric over all models but the oracle, as the paper has it.

    Args:
        scores: Of all items, as made by `flowsynth.evaluation.summary.gather`.

    Returns:
        Columns metric, models, items, F, p. It takes the items of different models for independent, which they are not:
        the paired tests are the sharper ones.
    """
    rows = []
    for metric in dict.fromkeys(scores["metric"]):
        values = paired(scores, metric).drop(columns="oracle", errors="ignore")
        if values.shape[1] > 1:
            found = f_oneway(*(values[model] for model in values))
            rows.append((metric, values.shape[1], len(values), float(found.statistic), float(found.pvalue)))
    return pd.DataFrame(rows, columns=["metric", "models", "items", "F", "p"])


def resampled(values: pd.DataFrame, seed: int) -> Float[np.ndarray, "resamples models"]:
    """The mean over folds of the mean over items of each draw of `draws`, of the values of `paired`."""
    return draws(values, seed) @ values.to_numpy()


def resampled_medians(values: pd.DataFrame, seed: int) -> Float[np.ndarray, "resamples models"]:
    """The median over all items of each draw of `draws`, of the values of `paired`."""
    weights = draws(values, seed)
    medians = np.empty((len(weights), values.shape[1]))
    for place, column in enumerate(values.to_numpy().T):
        order = column.argsort(kind="stable")
        medians[:, place] = column[order][(weights[:, order].cumsum(axis=1) < 0.5).sum(axis=1).clip(max=len(order) - 1)]
    return medians


def draws(values: pd.DataFrame, seed: int) -> Float[np.ndarray, "resamples items"]:
    """Draw folds, and items within each of them, again and again: how much each item weighs in each draw, 1 in all.

    All models get the same draws, so that their differences are paired.

    Args:
        values: As made by `paired`.
        seed: Of the draws.

    References:
        Davison and Hinkley 1997, "Bootstrap methods and their application", section 3.8: the two-level bootstrap.
    """
    rng = np.random.default_rng(seed)
    sizes = values.groupby(level="fold", sort=False).size().to_numpy()
    starts = np.concatenate([[0], np.cumsum(sizes)])
    weights = np.zeros((RESAMPLES, len(values)))
    folds = rng.integers(0, len(sizes), (RESAMPLES, len(sizes)))
    for fold, size in enumerate(sizes):
        rows, _ = np.nonzero(folds == fold)  # a resample that drew the fold twice is there twice
        np.add.at(
            weights[:, starts[fold] : starts[fold + 1]],
            rows,
            rng.multinomial(size, np.full(size, 1 / size), len(rows)) / size,
        )
    return weights / len(sizes)


def compare(scores: pd.DataFrame, seed: int, candidate: str | None = None) -> pd.DataFrame:
    """Compare each two models on each metric, by Wilcoxon's signed-rank test and by the bootstrap of `resampled`.

    Args:
        scores: Of all items, as made by `flowsynth.evaluation.summary.gather`.
        seed: Of the bootstrap.
        candidate: Compare this one with each other, and not those with each other.

    Returns:
        Columns metric, first, second, items, median_difference (first minus second), mean_difference (of the means over
        folds), low, high (limits of its 95 % interval), p, p_holm (corrected by Holm within the metric), differ (whether
        p_holm is below 0.05, the interval does not hold 0, and both are for the same model).

    References:
        Wilcoxon 1945; Holm 1979.
    """
    tables = []
    for metric in dict.fromkeys(scores["metric"]):
        values = paired(scores, metric).drop(columns="oracle", errors="ignore")
        rows: list[tuple] = []
        signs: list[float] = []
        drawn = pd.DataFrame(resampled(values, derive_seed(seed, "compare", metric)), columns=values.columns)
        means = values.groupby(level="fold").mean().mean()
        pairs = [(candidate, other) for other in values if other != candidate]
        for first, second in pairs if candidate else itertools.combinations(values, 2):
            difference = values[first] - values[second]
            # without any difference there is nothing to rank
            p = float(wilcoxon(difference).pvalue) if difference.any() else 1.0
            # what that test goes by: whether the larger ranks are of positive or of negative differences, without equal items
            ranked = difference[difference != 0]
            sign = float((np.sign(ranked) * ranked.abs().rank()).sum())
            low, high = interval(drawn[first] - drawn[second])
            mean = means[first] - means[second]
            rows.append((metric, first, second, len(difference), difference.median(), mean, low, high, p))
            signs.append(sign)
        table = pd.DataFrame(rows, columns=COLUMNS[:-2])
        if rows:
            sure, table["p_holm"], *_ = multipletests(table["p"], alpha=SURE, method="holm")
            up, down = (table["low"] > 0) & (np.array(signs) > 0), (table["high"] < 0) & (np.array(signs) < 0)
            table["differ"] = sure & (up | down)
            tables.append(table)
    return pd.concat(tables, ignore_index=True)[COLUMNS] if tables else pd.DataFrame(columns=COLUMNS)
