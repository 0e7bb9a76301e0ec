"""Transfer: ranks of the models on different data sets."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from flowsynth.core.readers import read_csv
from flowsynth.evaluation.summary import heading
from flowsynth.figures.style import headline, line_style, styled
from flowsynth.metrics import registry

OFFSET = 0.04  # horizontal distance of two models, which keeps their intervals apart


@styled
def plot(ranks: pd.DataFrame, correlations: pd.DataFrame) -> Figure:
    """Plot one panel per metric, one line per model: its rank on each data set, with the 95 % interval.

    Args:
        ranks: Ranks, from `flowsynth.evaluation.transfer.transfer`.
        correlations: Rank correlations, from the same function.
    """
    ranks = ranks.dropna(subset="rank")  # of controls
    metrics, datasets = ranks["metric"].unique(), ranks["dataset"].unique().tolist()
    models, width = sorted(ranks["model"].unique()), max(3.6, 0.8 * len(datasets))
    figure, axes = plt.subplots(
        1, len(metrics), figsize=(width * len(metrics) + 1, 3.8), layout="constrained", squeeze=False
    )
    for axis, metric in zip(axes[0], metrics, strict=True):
        for index, model in enumerate(models):
            rows = ranks[(ranks["metric"] == metric) & (ranks["model"] == model)].set_index("dataset").loc[datasets]
            x = [place + OFFSET * (index - len(models) / 2) for place in range(len(datasets))]
            bars = [rows["rank"] - rows["low"], rows["high"] - rows["rank"]]
            axis.errorbar(x, rows["rank"], bars, label=model, **line_style(model, False, index))
        values = correlations[correlations["metric"] == metric]["correlation"]
        between = f"{values.min():.2f} to {values.max():.2f}" if len(values) > 1 else f"{values.iloc[0]:.2f}"
        axis.set(title=f"{heading(registry()[metric])}\nrank correlations {between}", ylabel="rank")
        axis.set_xticks(range(len(datasets)), datasets, rotation=30, ha="right")
        axis.set_yticks(range(1, len(models) + 1))
        axis.invert_yaxis()
    axes[0, -1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    headline(figure, "Ranks of the trained models, 1 is the best; 95 % intervals over sounds.")
    return figure


def draw_transfer(ranks: Path, correlations: Path) -> Figure:
    """Draw the ranks of the models on different data sets."""
    return plot(read_csv(ranks), read_csv(correlations))
