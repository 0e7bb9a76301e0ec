"""Calibration: coverage of central intervals, and parameters that a sound does not determine."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from flowsynth.core.readers import read_csv
from flowsynth.figures.style import display_name, headline, styled


@styled
def plot(table: pd.DataFrame, coverage: pd.DataFrame, title: str) -> Figure:
    """Plot the coverage of each model over all parameters, and the spread of its samples for each parameter.

    Args:
        calibration_table: Calibration of all models, from `flowsynth.evaluation.calibration.calibration_table`.
        coverage: Coverage of the same models over all parameters, with columns model, expected, found.
        title: Title of the figure.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9), width_ratios=[1, 1.9], layout="constrained")
    colours = mpl.color_sequences["tab10"]
    left.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
    spread = table.pivot(index="parameter", columns="model", values="spread")
    order = spread.mean(axis=1).sort_values(kind="stable").index
    positions = np.arange(len(order))
    for index, (model, curve) in enumerate(coverage.groupby("model", sort=False)):
        colour = colours[index % len(colours)]
        left.plot(curve["expected"], curve["found"], marker="o", markersize=3, color=colour, label=model)
        right.plot(spread.loc[order, model], positions, marker="o", markersize=4, linewidth=0, color=colour)
    left.set(
        title="Coverage of central intervals", xlabel="nominal coverage", ylabel="empirical coverage",
        xlim=(0, 1), ylim=(0, 1),
    )  # fmt: skip
    left.legend(fontsize=7)
    right.set_yticks(positions, [display_name(name) for name in order], fontsize=7)
    right.axvline(1, color="0.6", linewidth=0.8)
    right.set(title="Standard deviation of the samples for one sound / of all presets", xlim=(0, None))
    headline(figure, title)
    return figure


def draw_calibration(table: Path, coverage: Path, dataset: str, budget: str) -> Figure:
    """Draw the figure from the tables of calibration and coverage."""
    rows = read_csv(table)
    title = (
        f"{dataset}, budget {budget}: {rows['draws'].max()} samples for each of {rows['items'].max()} sounds "
        "of the test sets."
    )
    return plot(rows, read_csv(coverage), title)
