"""Scaling: scores against the number of synthetic training presets, of training epochs, or of parameters to predict."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from flowsynth.evaluation import score_tables
from flowsynth.evaluation.scaling import PAPER_METRICS
from flowsynth.evaluation.summary import heading
from flowsynth.figures.style import headline, line_style, styled
from flowsynth.metrics import registry

METRICS = ("log_mel_l1", "spectral_convergence", "parameter_mse")
MEDIAN = "spectral_convergence"  # plotted as median: a few quiet targets dominate its mean


@styled
def plot_amount(table: pd.DataFrame, models: Sequence[str], label: str, title: str) -> Figure:
    """Plot one panel per metric, one line per model: means with their intervals, medians of spectral convergence.

    Args:
        table: Scores by amount, from `flowsynth.evaluation.scaling.scores_by_amount`.
        models: Models in the order of the legend; the oracle, whose errors are zero, is left out.
        label: Label of the horizontal axis.
        title: Title of the figure.
    """
    amounts = sorted(table["amount"].unique())
    is_median = table["metric"] == MEDIAN
    lines = table.assign(
        x=table["amount"].map(amounts.index),
        y=table["median"].where(is_median, table["mean"]),
        below=(table["mean"] - table["low"]).mask(is_median, 0),
        above=(table["high"] - table["mean"]).mask(is_median, 0),
    )
    size = 3 * len(METRICS) + 1.3, 3
    figure, axes = _plot_lines(lines, METRICS, models, 0.04, size)
    for axis, name in zip(axes, METRICS, strict=True):
        axis.set(title=heading(registry()[name]) + (", median" if name == MEDIAN else ""), xlabel=label)
        axis.set_xticks(range(len(amounts)), [f"{amount:,}" for amount in amounts])
    headline(figure, title)
    return figure


@styled
def plot_parameter_count(table: pd.DataFrame, models: Sequence[str], title: str) -> Figure:
    """Plot one panel per metric, one line per model: the mean over folds, plus and minus a standard deviation.

    Args:
        table: Scores of at least two data sets, from `flowsynth.evaluation.scaling.scores_by_parameter_count`.
        models: Models in the order of the legend; the oracle, whose errors are zero, is left out.
        title: Title of the figure.

    Raises:
        ValueError: If all scores are of one number of parameters.
    """
    counts = sorted(table["parameters"].unique().tolist())
    if len(counts) < 2:
        raise ValueError(f"expected scores for at least two numbers of parameters, got {counts}")
    sd = table["sd"].fillna(0)
    lines = table.assign(x=table["parameters"], y=table["mean"], below=sd, above=sd)
    figure, axes = _plot_lines(lines, PAPER_METRICS, models, 0.15, (3 * len(PAPER_METRICS) + 1, 3.2))
    for axis, name in zip(axes, PAPER_METRICS, strict=True):
        axis.set(title=heading(registry()[name]), xlabel="parameters to predict", xticks=counts)
    headline(figure, title)
    return figure


def _plot_lines(
    lines: pd.DataFrame, metrics: Sequence[str], models: Sequence[str], offset: float, size: tuple[float, float]
) -> tuple[Figure, np.ndarray]:
    """Plot one panel per metric and one line per model.

    Args:
        lines: Points, with columns metric, model, is_control, x, y, below and above; the last two are lengths of error
            bars.
        metrics: Names of the metrics.
        models: Models in the order of the legend, oracle included.
        offset: Horizontal distance of two models, which keeps their error bars apart.
        size: Width and height of the figure in inches.
    """
    models = [name for name in models if name != "oracle"]
    controls = set(lines.loc[lines["is_control"], "model"])
    figure, axes = plt.subplots(1, len(metrics), figsize=size, layout="constrained")
    for axis, name in zip(axes, metrics, strict=True):
        for index, model in enumerate(models):
            rows = lines[(lines["metric"] == name) & (lines["model"] == model)].sort_values("x")
            x = rows["x"] + offset * (index - len(models) / 2)
            bars = np.stack([rows["below"], rows["above"]])
            axis.errorbar(x, rows["y"], bars, label=model, **line_style(model, model in controls, index))
        axis.set(yscale="log")
        axis.grid(axis="y")
    axes[-1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure, axes


def draw_amount(table: Path, models: Sequence[str], label: str, title: str) -> Figure:
    """Draw scores against the number of synthetic training presets or of epochs."""
    rows = score_tables.read(table)
    folds = int(rows["folds"].max())
    return plot_amount(rows, models, label, f"{title}. Over {folds} fold{'s' * (folds > 1)}; 95 % intervals.")


def draw_complexity(table: Path, models: Sequence[str], budget: str) -> Figure:
    """Draw scores against the number of parameters to predict."""
    title = f"Budget {budget}. Mean and standard deviation over folds."
    return plot_parameter_count(score_tables.read(table), models, title)
