"""Smoothness: whether latent dimensions act more evenly on the sound than the synthesizer's own parameters."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from flowsynth.figures.style import COLOURS, headline, styled
from flowsynth.metrics import registry

KINDS = {"latent": COLOURS["model"], "native": COLOURS["other"]}
SAID = {"unevenness": "unevenness: largest / mean step", "straightness": "straightness: ends / path"}
MATCHING = {"whole": "whole ranges", "path": "paths of equal length"}


@styled
def draw(rows: pd.DataFrame, summary: pd.DataFrame, title: str) -> Figure:
    """Draw, for each metric, both measures of all controls and of each sound's mean, and the differences.

    Args:
        rows: As made by `flowsynth.latent_space.smoothness.measure_controls`.
        summary: As made by `flowsynth.latent_space.smoothness.summarise`.
        title: Of the figure.
    """
    metrics = list(dict.fromkeys(summary["metric"]))
    figure, axes = plt.subplots(
        len(metrics), 3, figsize=(10, 2.5 * len(metrics) + 0.4), width_ratios=[1, 1, 1.5], layout="constrained"
    )
    for line, metric in zip(axes, metrics, strict=True):
        heard = rows[(rows["metric"] == metric) & rows["audible"]]
        for axis, (measure, said) in zip(line, SAID.items(), strict=False):
            _dots(axis, heard, measure)
            axis.set_title(f"{registry()[metric].label},\n{said}")
        _differences(line[2], summary[summary["metric"] == metric])
    headline(figure, title)
    return figure


def _dots(axis: Axes, heard: pd.DataFrame, measure: str) -> None:
    for place, (kind, colour) in enumerate(KINDS.items()):
        values = np.sort(heard.loc[heard["kind"] == kind, measure].to_numpy())
        # side by side rather than at random: the same picture each time
        aside = 0.28 * (np.arange(len(values)) * 0.618 % 1 - 0.5)
        axis.scatter(place + aside, values, s=4, color=colour, alpha=0.35, linewidth=0)
    means = heard.groupby(["item", "kind"])[measure].mean().unstack().reindex(columns=list(KINDS)).dropna()
    for row in means.to_numpy():
        axis.plot([0.25, 0.75], row, color="0.4", linewidth=0.7, marker="o", markersize=2.5)
    axis.set(xticks=[0, 1], xlim=(-0.3, 1.3))
    axis.set_xticklabels(["latent dimensions", "parameters"])
    axis.grid(axis="y")
    axis.grid(visible=False, axis="x")


def _differences(axis: Axes, summary: pd.DataFrame) -> None:
    labels = []
    for place, row in enumerate(summary.itertuples()):
        colour = _smoother(row.measure, row.low, row.high)
        axis.plot([row.low, row.high], [place, place], color=colour, linewidth=1.5)
        axis.plot(row.difference, place, marker="o", color=colour, markersize=5)
        labels.append(f"{row.measure}\n{MATCHING[row.matching]}")
    axis.xaxis.set_major_locator(MaxNLocator(5))
    axis.axvline(0, color="black", linewidth=0.7)
    axis.set_yticks(range(len(labels)), labels, fontsize=7)
    axis.set(
        ylim=(len(labels) - 0.5, -0.5),
        title="Latent minus native: mean over sounds, 95 %\nblue: latents smoother, red: parameters",
    )


def _smoother(measure: str, low: float, high: float) -> str:
    """Colour of whoever is the smoother by an interval: less uneven or straighter; grey if it holds 0."""
    if not (low > 0 or high < 0):
        return COLOURS["control"]
    less = "latent" if measure == "unevenness" else "native"
    more = "native" if measure == "unevenness" else "latent"
    return KINDS[less if high < 0 else more]
