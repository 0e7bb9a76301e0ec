"""Amount: scores against the number of drawn presets that a model is trained on, or of epochs."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from flowsynth.evaluation.summary import heading
from flowsynth.figures.style import headline, line, styled
from flowsynth.metrics import registry

METRICS = ("log_mel_l1", "spectral_convergence", "parameter_mse")
MEDIAN = "spectral_convergence"  # whose mean few quiet targets move


@styled
def draw(table: pd.DataFrame, models: Sequence[str], label: str, title: str) -> Figure:
    """Draw one panel a metric, one line a model: the mean and its interval, of spectral convergence the median.

    Args:
        table: As made by `flowsynth.evaluation.scaling.scores_by_amount`.
        models: In the order wanted; the oracle, whose errors are zero, is left out.
        label: What there is more and more of.
        title: Of the figure.
    """
    amounts = sorted(table["amount"].unique())
    shown = [name for name in models if name != "oracle"]
    figure, axes = plt.subplots(1, len(METRICS), figsize=(3 * len(METRICS) + 1.3, 3), layout="constrained")
    for axis, name in zip(axes, METRICS, strict=True):
        for number, model in enumerate(shown):
            rows = table[(table["metric"] == name) & (table["model"] == model)].sort_values("amount")
            drawn_as = {"label": model} | line(model, number)
            places = [amounts.index(given) + 0.04 * (number - len(shown) / 2) for given in rows["amount"]]
            if name == MEDIAN:
                axis.plot(places, rows["median"], **drawn_as)
            else:
                bar = [rows["mean"] - rows["low"], rows["high"] - rows["mean"]]
                axis.errorbar(places, rows["mean"], bar, **drawn_as)
        metric = heading(registry()[name]) + (", median" if name == MEDIAN else "")
        axis.set(title=metric, xlabel=label, yscale="log")
        axis.set_xticks(range(len(amounts)), [f"{given:,}" for given in amounts])
        axis.grid(axis="y")
    axes[-1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    headline(figure, title)
    return figure
