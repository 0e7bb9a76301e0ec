"""Learning curves: how well each model tells the parameters, epoch by epoch."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from flowsynth.figures.style import COLOURS, headline, styled

COLUMNS = 5


@styled
def draw(histories: Mapping[str, Sequence[pd.DataFrame]], title: str) -> Figure:
    """Draw one panel a model, one line a fold: dark of the validation part, light of the training part, a dot where kept.

    Args:
        histories: Of the folds of each model, as made by `flowsynth.training.fit.fit`; a model that was not trained has no
            rows and no panel.
        title: Of the figure.

    Raises:
        ValueError: If no model was trained.
    """
    trained = {model: folds for model, folds in histories.items() if any(len(fold) for fold in folds)}
    if not trained:
        raise ValueError(f"none of the models {', '.join(histories)} is trained: there are no curves")
    columns = min(len(trained), COLUMNS)
    lines = -(-len(trained) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(2.1 * columns, 0.5 + 1.6 * lines), squeeze=False)
    for axis in axes.flat[len(trained) :]:
        axis.remove()
    for axis, (model, folds) in zip(axes.flat, trained.items(), strict=False):
        for fold in folds:
            _fold(axis, fold)
        _crop(axis)
        axis.set_title(model)
        axis.grid(axis="y")
        axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    headline(figure, title)
    figure.supxlabel("epoch", fontsize=9)
    figure.tight_layout()
    return figure


def _crop(axis: Axes) -> None:
    """Cut off what the training part begins with, which may be far above the worst epoch of the validation part."""
    lines: dict[object, list[float]] = {line.get_color(): [] for line in axis.lines}
    for line in axis.lines:
        lines[line.get_color()] += np.asarray(line.get_ydata(), dtype=float).tolist()
    if lines:
        low, high = min(min(values) for values in lines.values()), max(lines[COLOURS["model"]])
        if high > low:
            axis.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))


def _fold(axis: Axes, history: pd.DataFrame) -> None:
    """Of a model whose loss has several terms the term of the parameters, from the epoch on that trains it; else the loss."""
    term = "parameters" if "valid/parameters" in history else "loss"
    chosen = history["valid/selection" if "valid/selection" in history else "valid/loss"]
    history = history[np.isfinite(chosen)]
    if history.empty:
        return
    axis.plot(history["epoch"], history[f"train/{term}"], color=COLOURS["control"], linewidth=1, alpha=0.6)
    axis.plot(history["epoch"], history[f"valid/{term}"], color=COLOURS["model"], linewidth=1.2)
    best = history.loc[chosen[history.index].idxmin()]
    axis.plot(best["epoch"], best[f"valid/{term}"], marker="o", markersize=4, color=COLOURS["model"])
