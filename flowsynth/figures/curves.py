"""Learning curves: parameter error of each model over epochs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from flowsynth.core.layout import SystemPaths
from flowsynth.core.readers import read_csv
from flowsynth.figures.style import COLOURS, headline, styled

MAX_COLUMNS = 5


@styled
def plot(histories: Mapping[str, Sequence[pd.DataFrame]], title: str) -> Figure:
    """Plot one panel per model and one line per fold: validation dark, training light, a dot at the selected epoch.

    Args:
        histories: Training histories of the folds of each model, from `flowsynth.training.fit.fit`; a model that is not
            trained has no rows and no panel.
        title: Title of the figure.

    Raises:
        ValueError: If no model is trained.
    """
    trained = {model: folds for model, folds in histories.items() if any(len(fold) for fold in folds)}
    if not trained:
        raise ValueError(f"no learning curves: none of the models {', '.join(histories)} is trained")
    columns = min(len(trained), MAX_COLUMNS)
    rows = -(-len(trained) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(2.1 * columns, 0.5 + 1.6 * rows), squeeze=False)
    for axis in axes.flat[len(trained) :]:
        axis.remove()
    for axis, (model, folds) in zip(axes.flat, trained.items(), strict=False):
        for fold in folds:
            _plot_fold(axis, fold)
        _crop(axis)
        axis.set_title(model)
        axis.grid(axis="y")
        axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    headline(figure, title)
    figure.supxlabel("epoch", fontsize=9)
    figure.tight_layout()
    return figure


def _crop(axis: Axes) -> None:
    """Limit the vertical axis to the range of the validation error: the first training errors may be far above it."""
    values: dict[object, list[float]] = {line.get_color(): [] for line in axis.lines}
    for line in axis.lines:
        values[line.get_color()] += np.asarray(line.get_ydata(), dtype=float).tolist()
    if values:
        low, high = min(min(errors) for errors in values.values()), max(values[COLOURS["model"]])
        if high > low:
            axis.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))


def _plot_fold(axis: Axes, history: pd.DataFrame) -> None:
    """Plot the loss; of a loss with several terms that of the parameters, from the epoch on in which it is trained."""
    term = "parameters" if "valid/parameters" in history else "loss"
    criterion = history["valid/selection" if "valid/selection" in history else "valid/loss"]
    history = history[np.isfinite(criterion)]
    if history.empty:
        return
    axis.plot(history["epoch"], history[f"train/{term}"], color=COLOURS["control"], linewidth=1, alpha=0.6)
    axis.plot(history["epoch"], history[f"valid/{term}"], color=COLOURS["model"], linewidth=1.2)
    best = history.loc[criterion[history.index].idxmin()]
    axis.plot(best["epoch"], best[f"valid/{term}"], marker="o", markersize=4, color=COLOURS["model"])


def draw_curves(histories: Sequence[Path], dataset: str, budget: str) -> Figure:
    """Draw the figure from the training histories of the models."""
    by_model: dict[str, list[pd.DataFrame]] = {}
    for path in histories:
        by_model.setdefault(SystemPaths.parse(path).name, []).append(read_csv(path))
    title = (
        f"{dataset}, budget {budget}. Parameter error: mean squared error; nats per parameter for density models; "
        "error of the velocity for flow_matching;\nlog-mel L1 of the sound for proxy. "
        "Dark: validation set. Light: training set. One line per fold; dot: selected epoch."
    )
    return plot(by_model, title)
