"""Critical-difference diagrams: mean ranks of the models, and groups without a significant difference."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import rankdata, studentized_range

from flowsynth.evaluation.score_tables import systems
from flowsynth.evaluation.statistics import CONFIDENCE, paired_scores
from flowsynth.evaluation.summary import gather
from flowsynth.figures.style import COLOURS, headline, styled
from flowsynth.metrics import registry

METRICS = ("parameter_mse", "log_mel_l1")  # an error of parameters and one of sound, which disagree


def mean_ranks(values: pd.DataFrame, lower: bool) -> pd.Series:
    """Compute the mean rank of each model over items, 1 for the best, in ascending order.

    Args:
        values: Scores, one row per item and one column per model.
        lower: Whether lower values are better.
    """
    ranks = rankdata(values if lower else -values, axis=1)
    return pd.Series(ranks.mean(axis=0), index=values.columns).sort_values(kind="stable")


def critical_difference(models: int, items: int) -> float:
    """Compute the difference above which two mean ranks differ significantly at the 95 % level.

    Args:
        models: Number of models.
        items: Number of items.

    References:
        Nemenyi 1963; Demsar 2006, "Statistical comparisons of classifiers over multiple data sets", equation 6.
    """
    quantile = studentized_range.ppf(CONFIDENCE, models, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(models * (models + 1) / (6 * items)))


def cliques(ranks: pd.Series, distance: float) -> list[tuple[int, int]]:
    """Find the maximal runs of at least two models whose ranks all lie within a distance.

    Args:
        ranks: Mean ranks in ascending order.
        distance: Critical difference.

    Returns:
        First and last position of each run.
    """
    values = ranks.to_numpy()
    runs: list[tuple[int, int]] = []
    for first in range(len(values)):
        last = int(np.searchsorted(values, values[first] + distance, side="right")) - 1
        if last > first and (not runs or last > runs[-1][1]):
            runs.append((first, last))
    return runs


@styled
def plot(table: pd.DataFrame, models: Sequence[str], title: str) -> Figure:
    """Plot one panel per metric: a dot per model at its mean rank, and a line beside each clique.

    Args:
        table: Scores of all items, from `flowsynth.evaluation.summary.gather`.
        models: Models to plot; the oracle, which always ranks first, is left out.
        title: Title of the figure.
    """
    ranked = [name for name in models if name != "oracle"]
    metrics = [name for name in METRICS if name in set(table["metric"])]
    kinds = systems(table)["is_control"].map({True: "control", False: "model"})
    size = 4.6 * len(metrics), 0.9 + 0.2 * len(ranked)
    figure, axes = plt.subplots(1, len(metrics), figsize=size, squeeze=False, layout="constrained")
    for axis, name in zip(axes.flat, metrics, strict=True):
        values = paired_scores(table, name)[ranked]
        ranks = mean_ranks(values, registry()[name].better == "lower")
        _panel(axis, ranks, critical_difference(len(ranked), len(values)), kinds)
        axis.set(title=f"{registry()[name].label}: mean rank", xlabel="rank, 1 is best")
    headline(figure, title)
    return figure


def _panel(axis: Axes, ranks: pd.Series, distance: float, kinds: pd.Series) -> None:
    for position, (model, rank) in enumerate(ranks.items()):
        axis.plot(rank, position, marker="o", color=COLOURS[kinds[model]])
    for index, (first, last) in enumerate(cliques(ranks, distance)):
        x = ranks.max() + (0.04 + 0.03 * (index % 3)) * np.ptp(ranks)
        axis.plot([x, x], [first, last], color=COLOURS["other"], linewidth=2.5, solid_capstyle="butt")
    axis.set_yticks(range(len(ranks)), ranks.index, fontsize=7)
    axis.invert_yaxis()


def draw_critical_difference(scores: Path, models: Sequence[str], dataset: str, budget: str) -> Figure:
    """Draw the figure from the scores of all items."""
    title = f"{dataset}, budget {budget}. Models joined by a red line do not differ significantly in rank."
    return plot(gather([scores]), models, title)
