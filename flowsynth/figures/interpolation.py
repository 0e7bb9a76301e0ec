"""Interpolation: from one sound to another in the latent space, and straight in the space of parameters."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from flowsynth.explore import PAIR
from flowsynth.figures.common import COLOURS, bars, headline, spectrogram, styled
from flowsynth.listen import Heard
from flowsynth.metrics import registry
from flowsynth.smoothness import measure, steps_of

SIDES = {"latent": COLOURS["model"], "parameters": COLOURS["other"]}


@styled
def draw(heard: Heard, title: str) -> Figure:
    """Draw both lines, spectrograms over parameters, and beside them the distance in sound of each step.

    Args:
        heard: The exploration ``interpolation``.
        title: Of the figure; what is shown is added to it.
    """
    number = heard.estimates.shape[1]
    figure, axes = plt.subplot_mosaic(
        [[f"{kind}{name}{step}" for step in range(number)] + ["steps"] for name in heard.ids for kind in "sp"],
        figsize=(10, 4.2), width_ratios=[1] * number + [3.4], layout="constrained",
    )  # fmt: skip
    steps, ends = steps_of(registry()["log_mel_l1"], heard)
    found = measure(steps, ends)
    for line, name in enumerate(heard.ids):
        for step in range(number):
            spectrogram(axes[f"s{name}{step}"], heard.mel[line, step])
            bars(axes[f"p{name}{step}"], heard.estimates[line, step], colour=SIDES[name])
        axes[f"s{name}0"].set_title(f"straight in the space of {name}" if line else "straight in the latent space", fontsize=8)
        axes["steps"].plot(
            np.arange(1, number), steps[line], marker="o", markersize=4, color=SIDES[name],
            label=f"{name}: path {found['path'][line]:.2f}, unevenness {found['unevenness'][line]:.2f},\n"
            f"straightness {found['straightness'][line]:.2f}",
        )  # fmt: skip
    axes["steps"].set(title="Log-mel L1 of each step, nat", xlabel="step", ylim=(0, None), xticks=np.arange(1, number))
    axes["steps"].grid(axis="y")
    axes["steps"].legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    headline(
        figure,
        f"{title} From the {PAIR[0]} to the {PAIR[1]} sound, both lines with the same ends.\n"
        "Unevenness: largest over mean step. Straightness: distance of the ends over length of the path.",
    )
    return figure
