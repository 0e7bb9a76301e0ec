"""Critical differences: mean ranks of the models, and which of them are too close to be told apart."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import rankdata, studentized_range

from flowsynth.evaluation.statistics import CONFIDENCE, paired_scores
from flowsynth.figures.style import COLOURS, headline, styled
from flowsynth.metrics import registry
from flowsynth.models.registry import is_control

METRICS = ("parameter_mse", "log_mel_l1")  # the two that disagree


def ranks(values: pd.DataFrame, lower: bool) -> pd.Series:
    """Mean rank of each model over items, 1 the best, the best first.

    Args:
        values: One row an item, one column a model.
        lower: Whether lower values are better.
    """
    found = rankdata(values if lower else -values, axis=1)
    return pd.Series(found.mean(axis=0), index=values.columns).sort_values(kind="stable")


def critical(models: int, items: int) -> float:
    """By how much two mean ranks have to differ, at 95 %.

    References:
        Nemenyi 1963; Demsar 2006, "Statistical comparisons of classifiers over multiple data sets", equation 6.
    """
    quantile = studentized_range.ppf(CONFIDENCE, models, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(models * (models + 1) / (6 * items)))


def cliques(means: pd.Series, distance: float) -> list[tuple[int, int]]:
    """Runs of models, by first and last place, whose ranks are all within a distance; none is part of another."""
    values = means.to_numpy()
    found: list[tuple[int, int]] = []
    for first in range(len(values)):
        last = int(np.searchsorted(values, values[first] + distance, side="right")) - 1
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


@styled
def draw(table: pd.DataFrame, models: Sequence[str], title: str) -> Figure:
    """Draw one panel a metric: a dot a model at its mean rank, a line at the side of those that can't be told apart.

    Args:
        table: Scores of all items, as made by `flowsynth.evaluation.summary.gather`.
        models: To draw; the oracle, which is always first, is left out.
        title: Of the figure.
    """
    shown = [name for name in models if name != "oracle"]
    metrics = [name for name in METRICS if name in set(table["metric"])]
    size = 4.6 * len(metrics), 0.9 + 0.2 * len(shown)
    figure, axes = plt.subplots(1, len(metrics), figsize=size, squeeze=False, layout="constrained")
    for axis, name in zip(axes.flat, metrics, strict=True):
        values = paired_scores(table, name)[shown]
        _panel(axis, ranks(values, registry()[name].better == "lower"), critical(len(shown), len(values)))
        axis.set(title=f"{registry()[name].label}: mean rank", xlabel="rank, 1 is best")
    headline(figure, title)
    return figure


def _panel(axis: Axes, means: pd.Series, distance: float) -> None:
    for place, (model, mean) in enumerate(means.items()):
        axis.plot(mean, place, marker="o", color=COLOURS["control" if is_control(str(model)) else "model"])
    for step, (first, last) in enumerate(cliques(means, distance)):
        aside = means.max() + (0.04 + 0.03 * (step % 3)) * np.ptp(means)
        axis.plot([aside, aside], [first, last], color=COLOURS["other"], linewidth=2.5, solid_capstyle="butt")
    axis.set_yticks(range(len(means)), means.index, fontsize=7)
    axis.invert_yaxis()
