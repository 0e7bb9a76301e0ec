"""Complexity: how scores change with the number of parameters to infer."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from flowsynth.evaluation.parameter_count import METRICS
from flowsynth.evaluation.summary import heading
from flowsynth.figures.style import headline, line, styled
from flowsynth.metrics import registry


@styled
def draw(summary: pd.DataFrame, models: Sequence[str], title: str) -> Figure:
    """Draw one panel a metric, one line a model: the mean over folds, and a bar of a standard deviation to both sides.

    Args:
        summary: As made by `flowsynth.evaluation.parameter_count.summarise_datasets`, of at least two data sets.
        models: In the order wanted; the oracle, whose errors are zero, is left out.
        title: Of the figure.

    Raises:
        ValueError: If there is one data set only.
    """
    sizes = sorted(summary["parameters"].unique())
    if len(sizes) < 2:
        raise ValueError(f"scores of {sizes} parameters alone: there is nothing to compare")
    shown = [name for name in models if name != "oracle"]
    figure, axes = plt.subplots(1, len(METRICS), figsize=(3 * len(METRICS) + 1, 3.2), layout="constrained")
    for axis, name in zip(axes, METRICS, strict=True):
        for number, model in enumerate(shown):
            rows = summary[(summary["metric"] == name) & (summary["model"] == model)].sort_values("parameters")
            # beside each other, or their bars would be one
            place = rows["parameters"] + 0.15 * (number - len(shown) / 2)
            axis.errorbar(place, rows["mean"], rows["sd"].fillna(0), label=model, **line(model, number))
        axis.set(title=heading(registry()[name]), xlabel="parameters to infer", xticks=sizes, yscale="log")
        axis.grid(axis="y")
    axes[-1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    headline(figure, title)
    return figure
