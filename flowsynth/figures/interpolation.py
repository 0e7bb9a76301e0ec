"""Interpolation between two sounds, in the latent space and in the parameter space."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from flowsynth.figures.style import COLOURS, headline, plot_parameters, plot_spectrogram, styled
from flowsynth.latent_space.rendered import RenderedTraversals, read_rendered
from flowsynth.latent_space.smoothness import measure_lines, step_distances
from flowsynth.latent_space.traversals import PAIR_ROLES
from flowsynth.metrics import registry

LABELS = {"latent": "latent space", "parameters": "parameter space"}
LINE_COLOURS = {"latent": COLOURS["model"], "parameters": COLOURS["other"]}


@styled
def plot(paths: RenderedTraversals, title: str) -> Figure:
    """Plot the spectrograms and parameters of both interpolations, and the distance in sound of each step.

    Args:
        paths: Rendered traversals ``interpolation``.
        title: Start of the title; a description is appended.
    """
    count = paths.estimates.shape[1]
    figure = plt.figure(figsize=(10, 3.9), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[2.6, 1], squeeze=False).flat
    cells = left.subplots(2 * len(paths.ids), count, height_ratios=[1.2, 1] * len(paths.ids))
    steps, ends = step_distances(registry()["log_mel_l1"], paths)
    measures = measure_lines(steps, ends)
    axis = right.subplots()
    for row, name in enumerate(paths.ids):
        for step in range(count):
            plot_spectrogram(cells[2 * row, step], paths.mel[row, step])
            plot_parameters(cells[2 * row + 1, step], paths.estimates[row, step], colour=LINE_COLOURS[name])
        # text instead of a title, whose width would push the columns apart
        first = cells[2 * row, 0]
        first.set_title(" ", fontsize=8)
        heading = f"straight line in the {LABELS[name]}"
        text = first.text(0, 1.05, heading, transform=first.transAxes, color=LINE_COLOURS[name])
        text.set_in_layout(False)
        label = f"{LABELS[name]}: path {measures['path'][row]:.2f}, unevenness {measures['unevenness'][row]:.2f}, "
        label += f"\nstraightness {measures['straightness'][row]:.2f}"
        axis.plot(np.arange(1, count), steps[row], marker="o", markersize=4, color=LINE_COLOURS[name], label=label)
    axis.set(title="Log-mel L1 of each step, nat", xlabel="step", ylim=(0, None), xticks=np.arange(1, count))
    axis.grid(axis="y")
    axis.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    headline(
        figure,
        f"{title} From the {PAIR_ROLES[0]} to the {PAIR_ROLES[1]} item; both lines have the same ends.\n"
        "Unevenness: largest / mean step. Straightness: distance of the ends / length of the path.",
    )
    return figure


def draw_interpolation(vectors: Path, audio: Path, model: str, dataset: str, budget: str) -> Figure:
    """Draw the figure from the rendered traversals of a model."""
    return plot(read_rendered(vectors, audio), f"{model}, {dataset}, budget {budget}.")
