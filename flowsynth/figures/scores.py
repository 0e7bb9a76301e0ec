"""Scores of each model by each metric."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from flowsynth.evaluation.score_tables import systems
from flowsynth.evaluation.summary import gather, heading
from flowsynth.figures.style import COLOURS, headline, styled
from flowsynth.metrics import registry

LOG_SCALE_RATIO = 20  # ratio of largest to smallest value above which an axis is logarithmic
MAX_COLUMNS = 5


@styled
def plot(table: pd.DataFrame, models: Sequence[str], title: str) -> Figure:
    """Plot one panel per metric: a dot for the mean of each fold, a bar from the first to the third quartile of items.

    Args:
        table: Scores of all items, from `flowsynth.evaluation.summary.gather`.
        models: Models from top to bottom; the oracle, whose errors are zero, is left out.
        title: Title of the figure.
    """
    models = [name for name in models if name != "oracle"] or list(models)
    metrics = [metric for metric in registry().values() if metric.name in set(table["metric"])]
    columns = min(len(metrics), MAX_COLUMNS)
    lines = -(-len(metrics) // columns)
    size = 2.2 * columns, 0.4 + lines * (0.7 + 0.25 * len(models))
    figure, axes = plt.subplots(lines, columns, figsize=size, sharey=True, squeeze=False)
    for axis in axes.flat[len(metrics) :]:
        axis.remove()
    for axis, metric in zip(axes.flat, metrics, strict=False):
        rows = table[(table["metric"] == metric.name) & table["model"].isin(models)]
        _panel(axis, rows, models)
        axis.set(title=heading(metric), xlabel=metric.unit, ylabel="")
    headline(figure, title)
    figure.tight_layout()
    return figure


def _panel(axis: Axes, rows: pd.DataFrame, models: Sequence[str]) -> None:
    quartiles = rows.groupby("model")["value"].quantile([0.25, 0.5, 0.75]).unstack()
    folds = rows.groupby(["model", "fold"], as_index=False)["value"].mean()
    values = [*quartiles.to_numpy().flat, *folds["value"]]
    kinds = systems(rows)["is_control"].map({True: "control", False: "model"})
    smallest, largest = min(values), max(values)
    if smallest > 0 and largest > LOG_SCALE_RATIO * smallest:
        axis.set_xscale("log")
        axis.xaxis.set_minor_formatter(NullFormatter())
    for position, name in enumerate(models):
        colour = COLOURS[kinds[name]]
        lower, median, upper = quartiles.loc[name]
        axis.plot([lower, upper], [position, position], color=colour, linewidth=5, alpha=0.35, solid_capstyle="butt")
        axis.plot([median], [position], marker="|", color=colour, markersize=9)
    dots = folds.assign(kind=folds["model"].map(kinds))
    palette = {kind: COLOURS[kind] for kind in ("control", "model")}
    sns.stripplot(
        dots, x="value", y="model", order=list(models), hue="kind", palette=palette, jitter=False,
        size=5, linewidth=0.5, edgecolor="white", legend=False, ax=axis,
    )  # fmt: skip


def draw_scores(scores: Path, models: Sequence[str], dataset: str, budget: str) -> Figure:
    """Draw the figure from the scores of all items."""
    title = (
        f"{dataset}, budget {budget}. "
        "Dot: mean of a fold. Bar: half of the items, from first to third quartile. Stroke: median."
    )
    return plot(gather([scores]), models, title)
