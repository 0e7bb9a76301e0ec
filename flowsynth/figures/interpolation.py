"""Interpolation: from one sound to another in the latent space, and straight in the space of parameters."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from flowsynth.figures.style import COLOURS, bars, headline, spectrogram, styled
from flowsynth.latent_space.rendered import RenderedTraversals
from flowsynth.latent_space.smoothness import measure_lines, step_distances
from flowsynth.latent_space.traversals import PAIR_ROLES
from flowsynth.metrics import registry

SAID = {"latent": "latents", "parameters": "parameters"}
SIDES = {"latent": COLOURS["model"], "parameters": COLOURS["other"]}


@styled
def draw(heard: RenderedTraversals, title: str) -> Figure:
    """Draw both lines, spectrograms over parameters, and beside them the distance in sound of each step.

    Args:
        heard: The exploration ``interpolation``.
        title: Of the figure; what is shown is added to it.
    """
    number = heard.estimates.shape[1]
    figure = plt.figure(figsize=(10, 3.9), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[2.6, 1], squeeze=False).flat
    cells = left.subplots(2 * len(heard.ids), number, height_ratios=[1.2, 1] * len(heard.ids))
    steps, ends = step_distances(registry()["log_mel_l1"], heard)
    found = measure_lines(steps, ends)
    axis = right.subplots()
    for line, name in enumerate(heard.ids):
        for step in range(number):
            spectrogram(cells[2 * line, step], heard.mel[line, step])
            bars(cells[2 * line + 1, step], heard.estimates[line, step], colour=SIDES[name])
        # a title as wide as this would push the columns apart
        first = cells[2 * line, 0]
        first.set_title(" ", fontsize=8)
        above = first.text(
            0, 1.05, f"straight in the space of {SAID[name]}", transform=first.transAxes, color=SIDES[name]
        )
        above.set_in_layout(False)
        label = f"{SAID[name]}: path {found['path'][line]:.2f}, unevenness {found['unevenness'][line]:.2f}, "
        label += f"\nstraightness {found['straightness'][line]:.2f}"
        axis.plot(np.arange(1, number), steps[line], marker="o", markersize=4, color=SIDES[name], label=label)
    axis.set(title="Log-mel L1 of each step, nat", xlabel="step", ylim=(0, None), xticks=np.arange(1, number))
    axis.grid(axis="y")
    axis.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    headline(
        figure,
        f"{title} From the {PAIR_ROLES[0]} to the {PAIR_ROLES[1]} sound, both lines with the same ends.\n"
        "Unevenness: largest over mean step. Straightness: distance of the ends over length of the path.",
    )
    return figure
