"""Scores: how far the answers of each model are from what they were to be, by each metric."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from flowsynth.evaluation.summary import heading
from flowsynth.figures.style import COLOURS, headline, styled
from flowsynth.metrics import registry
from flowsynth.models.registry import is_control

WIDE = 20  # ratio of largest to smallest value shown above which an axis is logarithmic
COLUMNS = 5  # panels beside each other


@styled
def draw(table: pd.DataFrame, models: Sequence[str], title: str) -> Figure:
    """Draw one panel a metric: a dot for the mean of each fold, a bar from the first to the third quartile of the items.

    Args:
        table: Scores of all items, as made by `flowsynth.evaluation.summary.gather`.
        models: From top to bottom; the oracle, whose errors are zero, is left out.
        title: Of the figure.
    """
    shown = [name for name in models if name != "oracle"] or list(models)
    metrics = [metric for metric in registry().values() if metric.name in set(table["metric"])]
    columns = min(len(metrics), COLUMNS)
    lines = -(-len(metrics) // columns)
    size = 2.2 * columns, 0.4 + lines * (0.7 + 0.25 * len(shown))
    figure, axes = plt.subplots(lines, columns, figsize=size, sharey=True, squeeze=False)
    for axis in axes.flat[len(metrics) :]:
        axis.remove()
    for axis, metric in zip(axes.flat, metrics, strict=False):
        rows = table[(table["metric"] == metric.name) & table["model"].isin(shown)]
        _panel(axis, rows, shown)
        axis.set(title=heading(metric), xlabel=metric.unit, ylabel="")
    headline(figure, title)
    figure.tight_layout()
    return figure


def _panel(axis: Axes, rows: pd.DataFrame, models: Sequence[str]) -> None:
    quartiles = rows.groupby("model")["value"].quantile([0.25, 0.5, 0.75]).unstack()
    folds = rows.groupby(["model", "fold"], as_index=False)["value"].mean()
    shown = [*quartiles.to_numpy().flat, *folds["value"]]
    smallest, largest = min(shown), max(shown)
    if smallest > 0 and largest > WIDE * smallest:
        axis.set_xscale("log")
        axis.xaxis.set_minor_formatter(NullFormatter())
    for place, name in enumerate(models):
        colour = COLOURS["control" if is_control(name) else "model"]
        low, middle, high = quartiles.loc[name]
        axis.plot([low, high], [place, place], color=colour, linewidth=5, alpha=0.35, solid_capstyle="butt")
        axis.plot([middle], [place], marker="|", color=colour, markersize=9)
    kinds = folds["model"].map(is_control).map({True: "control", False: "model"})
    palette = {kind: COLOURS[kind] for kind in ("control", "model")}
    sns.stripplot(
        folds.assign(kind=kinds), x="value", y="model", order=list(models), hue="kind", palette=palette, jitter=False,
        size=5, linewidth=0.5, edgecolor="white", legend=False, ax=axis,
    )  # fmt: skip
