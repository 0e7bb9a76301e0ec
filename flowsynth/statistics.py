"""How sure a difference between models is: the paper's analysis of variance, and paired tests of each two models.

Models are scored on the same items, so two of them are compared item by item. Items of several folds are put together;
an item that is tested in two folds counts as two, as other trainings answered it. Near-silent targets, for which a metric
is not defined, are left out of that metric.
"""

import itertools

import pandas as pd
from scipy.stats import f_oneway, wilcoxon
from statsmodels.stats.multitest import multipletests

SURE = 0.05  # corrected p below which a difference is called one


def paired(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Values of a metric, one row a fold and item, one column a model; the mean over samples."""
    rows = scores[scores["metric"] == metric]
    return rows.pivot_table(index=["fold", "item"], columns="model", values="value", aggfunc="mean").dropna()


def anova(scores: pd.DataFrame) -> pd.DataFrame:
    """One-way analysis of variance of each metric over all models but the oracle, as the paper has it.

    Args:
        scores: Of all items, as made by `flowsynth.tables.gather`.

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


def compare(scores: pd.DataFrame) -> pd.DataFrame:
    """Compare each two models on each metric by Wilcoxon's signed-rank test, corrected by Holm within the metric.

    Args:
        scores: Of all items, as made by `flowsynth.tables.gather`.

    Returns:
        Columns metric, first, second, items, median_difference (first minus second), p, p_holm, differ.

    References:
        Wilcoxon 1945; Holm 1979.
    """
    tables = []
    for metric in dict.fromkeys(scores["metric"]):
        values = paired(scores, metric).drop(columns="oracle", errors="ignore")
        rows = []
        for first, second in itertools.combinations(values, 2):
            difference = values[first] - values[second]
            # without any difference there is nothing to rank
            p = float(wilcoxon(difference).pvalue) if difference.any() else 1.0
            rows.append((metric, first, second, len(difference), difference.median(), p))
        table = pd.DataFrame(rows, columns=["metric", "first", "second", "items", "median_difference", "p"])
        if rows:
            table["differ"], table["p_holm"], *_ = multipletests(table["p"], alpha=SURE, method="holm")
            tables.append(table)
    columns = ["metric", "first", "second", "items", "median_difference", "p", "p_holm", "differ"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)
