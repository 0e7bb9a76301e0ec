"""Whether a ranking of models transfers: rank correlations of their scores on different data sets.

References:
    Spearman 1904, "The proof and measurement of association between two things".
"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from flowsynth.core.seeding import derive_seed
from flowsynth.evaluation.score_tables import systems
from flowsynth.evaluation.statistics import bootstrap_means, interval, paired_scores
from flowsynth.evaluation.summary import number, to_markdown
from flowsynth.metrics import PRIMARY_METRIC, registry

RANK_COLUMNS = ["dataset", "metric", "model", "mean", "rank", "low", "high", "models", "items"]
CORRELATION_COLUMNS = ["metric", "first", "second", "models", "correlation", "low", "high"]


def transfer(
    scores: Mapping[str, pd.DataFrame], metrics: tuple[str, ...], seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rank the models that were trained on all data sets, and correlate their ranks.

    Controls have a mean and no rank: that networks are better than random presets everywhere says nothing about their ranking.

    Args:
        scores: Scores of all items by data set, as returned by `flowsynth.evaluation.summary.gather`.
        metrics: Names of metrics.
        seed: Seed of the bootstrap.

    Returns:
        Rank of each model by its mean score, 1 for the best, with a 95 % interval over resampled items, for each data
        set and metric; and Spearman's correlation of the means for each pair of data sets and metric, with an interval
        over items of both, resampled independently. The models themselves are not resampled.

    Raises:
        ValueError: If there are fewer than two data sets, or fewer than three common models.
    """
    trained = [
        {str(name) for name, row in systems(table).iterrows() if not row["is_control"]} for table in scores.values()
    ]
    models = sorted(set.intersection(*trained)) if trained else []
    if len(scores) < 2 or len(models) < 3:
        raise ValueError(
            f"got {len(scores)} data sets with {len(models)} trained models in common, expected at least 2 with 3"
        )
    rows, correlations = [], []
    for metric in metrics:
        sign = -1 if registry()[metric].better == "higher" else 1
        draws: dict[str, np.ndarray] = {}
        means: dict[str, np.ndarray] = {}
        for dataset, table in scores.items():
            values = paired_scores(table[table["model"].isin(models)], metric)[models]
            # the mean over folds of the mean over items, as in the resamples
            means[dataset] = sign * values.groupby(level="fold").mean().mean().to_numpy()
            draws[dataset] = sign * bootstrap_means(values, derive_seed(seed, "transfer", dataset, metric))
            ranks, resampled = rankdata(means[dataset]), rankdata(draws[dataset], axis=1)
            for column, model in enumerate(models):
                limits = interval(pd.Series(resampled[:, column]))
                mean = sign * means[dataset][column]
                rows.append((dataset, metric, model, mean, ranks[column], *limits, len(models), len(values)))
            described = systems(table)
            for control in described.index[described["is_control"] & (described.index != "oracle")]:
                values = paired_scores(table[table["model"] == control], metric)
                mean = values.groupby(level="fold").mean().mean().item()
                rows.append((dataset, metric, control, mean, np.nan, np.nan, np.nan, len(models), len(values)))
        for first, second in combinations(scores, 2):
            pairs = zip(rankdata(draws[first], axis=1), rankdata(draws[second], axis=1), strict=True)
            resampled = np.array([_correlation(a, b) for a, b in pairs])
            value = _correlation(rankdata(means[first]), rankdata(means[second]))
            correlations.append((metric, first, second, len(models), value, *interval(pd.Series(resampled))))
    return pd.DataFrame(rows, columns=RANK_COLUMNS), pd.DataFrame(correlations, columns=CORRELATION_COLUMNS)


def ranks_markdown(ranks: pd.DataFrame) -> str:
    """Format the means of the ranking metric, with the rank of each trained model: one column per data set."""
    rows = ranks[ranks["metric"] == PRIMARY_METRIC]
    places = rows["rank"].map(lambda rank: "" if pd.isna(rank) else f" ({rank:g})")
    texts = rows.assign(cell=rows["mean"].map(number) + places).pivot(index="model", columns="dataset", values="cell")
    order = rows.assign(is_control=rows["rank"].isna()).groupby("model")[["is_control", "rank"]].mean()
    names = order.sort_values(["is_control", "rank"], kind="stable").index
    table = texts.loc[names, rows["dataset"].unique()].fillna("").rename_axis("Model", axis=0).reset_index()
    return to_markdown(table)


def correlations_markdown(correlations: pd.DataFrame) -> str:
    """Format the rank correlations with their intervals: one row per pair of data sets, one column per metric."""
    text = [f"{number(row.correlation)} ({number(row.low)} to {number(row.high)})" for row in correlations.itertuples()]
    labels = correlations["metric"].map(lambda metric: registry()[metric].label)
    pairs = correlations["first"] + ", " + correlations["second"]
    table = pd.DataFrame({"Data sets": pairs, "label": labels, "text": text})
    wide = table.pivot(index="Data sets", columns="label", values="text").loc[pairs.unique(), labels.unique()]
    return to_markdown(wide.reset_index())


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Compute the correlation of two rankings."""
    return float(np.corrcoef(a, b)[0, 1])
