"""Calibration: how often central intervals hold the truth, and which knobs a sound does not determine."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from flowsynth.figures.style import headline, readable, styled


@styled
def draw(table: pd.DataFrame, coverage: pd.DataFrame, title: str) -> Figure:
    """Draw the coverage of every model, over all parameters, and the spread of its draws for each parameter.

    Args:
        table: Of all models, as made by `flowsynth.evaluation.calibration.calibration_table`.
        coverage: Of the same models over all parameters, columns model, expected, found.
        title: Of the figure.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9), width_ratios=[1, 1.9], layout="constrained")
    colours = mpl.color_sequences["tab10"]
    left.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
    spread = table.pivot(index="parameter", columns="model", values="spread")
    order = spread.mean(axis=1).sort_values(kind="stable").index
    places = np.arange(len(order))
    for number, (model, curve) in enumerate(coverage.groupby("model", sort=False)):
        colour = colours[number % len(colours)]
        left.plot(curve["expected"], curve["found"], marker="o", markersize=3, color=colour, label=model)
        right.plot(spread.loc[order, model], places, marker="o", markersize=4, linewidth=0, color=colour)
    left.set(
        title="Central intervals that hold the truth", xlabel="expected share", ylabel="found", xlim=(0, 1), ylim=(0, 1)
    )
    left.legend(fontsize=7)
    right.set_yticks(places, [readable(name) for name in order], fontsize=7)
    right.axvline(1, color="0.6", linewidth=0.8)
    right.set(title="Spread of the draws for one sound over that of all presets", xlim=(0, None))
    headline(figure, title)
    return figure
