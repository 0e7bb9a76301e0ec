"""Smoothness: how evenly latent dimensions change the sound, compared with the synthesizer's own parameters."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from flowsynth.core.readers import read_csv
from flowsynth.figures.style import COLOURS, headline, styled
from flowsynth.metrics import registry

KIND_COLOURS = {"latent": COLOURS["model"], "native": COLOURS["other"]}
LABELS = {"unevenness": "unevenness: largest / mean step", "straightness": "straightness: ends / path"}
MATCHING = {"whole": "full ranges", "path": "paths of equal length"}


@styled
def plot(rows: pd.DataFrame, summary: pd.DataFrame, title: str) -> Figure:
    """Plot, for each metric, both measures for all controls, their means per sound, and the differences.

    Args:
        rows: Measures of all controls, from `flowsynth.latent_space.smoothness.measure_controls`.
        summary: Differences, from `flowsynth.latent_space.smoothness.summarise`.
        title: Title of the figure.
    """
    metrics = list(dict.fromkeys(summary["metric"]))
    figure, axes = plt.subplots(
        len(metrics), 3, figsize=(10, 2.5 * len(metrics) + 0.4), width_ratios=[1, 1, 1.5], layout="constrained"
    )
    for panels, metric in zip(axes, metrics, strict=True):
        audible = rows[(rows["metric"] == metric) & rows["audible"]]
        for axis, (measure, label) in zip(panels, LABELS.items(), strict=False):
            _plot_measure(axis, audible, measure)
            axis.set_title(f"{registry()[metric].label},\n{label}")
        _plot_differences(panels[2], summary[summary["metric"] == metric])
    headline(figure, title)
    return figure


def _plot_measure(axis: Axes, rows: pd.DataFrame, measure: str) -> None:
    for position, (kind, colour) in enumerate(KIND_COLOURS.items()):
        values = np.sort(rows.loc[rows["kind"] == kind, measure].to_numpy())
        # deterministic jitter, so that the file is reproducible
        jitter = 0.28 * (np.arange(len(values)) * 0.618 % 1 - 0.5)
        axis.scatter(position + jitter, values, s=4, color=colour, alpha=0.35, linewidth=0)
    means = rows.groupby(["item", "kind"])[measure].mean().unstack().reindex(columns=list(KIND_COLOURS)).dropna()
    for row in means.to_numpy():
        axis.plot([0.25, 0.75], row, color="0.4", linewidth=0.7, marker="o", markersize=2.5)
    axis.set(xticks=[0, 1], xlim=(-0.3, 1.3))
    axis.set_xticklabels(["latent dimensions", "parameters"])
    axis.grid(axis="y")
    axis.grid(visible=False, axis="x")


def _plot_differences(axis: Axes, summary: pd.DataFrame) -> None:
    labels = []
    for position, row in enumerate(summary.itertuples()):
        colour = _colour(row.measure, row.low, row.high)
        axis.plot([row.low, row.high], [position, position], color=colour, linewidth=1.5)
        axis.plot(row.difference, position, marker="o", color=colour, markersize=5)
        labels.append(f"{row.measure}\n{MATCHING[row.matching]}")
    axis.xaxis.set_major_locator(MaxNLocator(5))
    axis.axvline(0, color="black", linewidth=0.7)
    axis.set_yticks(range(len(labels)), labels, fontsize=7)
    axis.set(
        ylim=(len(labels) - 0.5, -0.5),
        title="Latent minus native: mean over sounds, 95 %\nblue: latents smoother, red: parameters",
    )


def _colour(measure: str, low: float, high: float) -> str:
    """Return the colour of the smoother kind, less uneven or straighter; grey if the interval contains 0."""
    if not (low > 0 or high < 0):
        return COLOURS["control"]
    negative = "latent" if measure == "unevenness" else "native"
    positive = "native" if measure == "unevenness" else "latent"
    return KIND_COLOURS[negative if high < 0 else positive]


def draw_smoothness(lines: Path, summary: Path, model: str, dataset: str, budget: str) -> Figure:
    """Draw the figure from the measures of all controls and their summary."""
    rows = read_csv(lines, dtype={"item": str})
    title = (
        f"{model}, {dataset}, budget {budget}, {rows['item'].nunique()} sounds. "
        "Dot: one control for one sound. Line: means for one sound. Both measures are 1 for an even, straight path."
    )
    return plot(rows, read_csv(summary), title)
