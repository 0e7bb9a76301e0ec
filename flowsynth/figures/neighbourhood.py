"""Neighbourhoods: sounds whose latents are close to that of a sound."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from flowsynth.core.hdf5 import reading
from flowsynth.figures.pca_map import PCAMap
from flowsynth.figures.style import COLOURS, headline, plot_parameters, plot_spectrogram, styled
from flowsynth.latent_space.rendered import RenderedTraversals, read_rendered
from flowsynth.latent_space.traversals import NEIGHBOUR_STD, PAIR_ROLES
from flowsynth.metrics.spectral import log_mel_l1

# panels of the parameters and spectrograms of each sound, and its colour
SIDES = (("pa", "sa", COLOURS["model"]), ("pb", "sb", COLOURS["other"]))


@styled
def plot(neighbours: RenderedTraversals, latents: Float[np.ndarray, "items latent"], title: str) -> Figure:
    """Plot two sounds with their neighbours: parameters, spectrograms, and between them a map of their latents.

    Args:
        neighbours: Rendered traversals ``neighbourhood``.
        latents: Latents of the test set, whose principal components span the map.
        title: Start of the title; a description is appended.
    """
    steps = neighbours.estimates.shape[1]
    figure, axes = plt.subplot_mosaic(
        [[f"pa{step}", f"sa{step}", "map", f"sb{step}", f"pb{step}"] for step in range(steps)],
        figsize=(9, 0.75 * steps + 0.7), width_ratios=[1, 1, 2.4, 1, 1], layout="constrained",
    )  # fmt: skip
    pca_map, axis = PCAMap(latents), axes["map"]
    x, y = pca_map.project(latents).T
    axis.scatter(x, y, s=4, color="0.8", label="test set")
    for row, (parameters, spectrogram, colour) in enumerate(SIDES):
        center = np.repeat(neighbours.mel[row, :1], steps, axis=0)
        distances = log_mel_l1(center, neighbours.mel[row])
        for step in range(steps):
            truth = neighbours.estimates[row, 0] if step else None
            plot_parameters(axes[f"{parameters}{step}"], neighbours.estimates[row, step], truth, colour)
            plot_spectrogram(axes[f"{spectrogram}{step}"], neighbours.mel[row, step])
            label = f"+{distances[step]:.2f}" if step else "its own latent"
            axes[f"{spectrogram}{step}"].set_title(label, fontsize=7, pad=1)
        x, y = pca_map.project(neighbours.latent[row]).T
        axis.scatter(x[1:], y[1:], s=14, color=colour, linewidth=0)
        label = f"{PAIR_ROLES[row]}: {neighbours.ids[row]}"
        axis.scatter(x[:1], y[:1], s=50, facecolor="none", edgecolor=colour, label=label)
        axes[f"{parameters}0"].set_title(PAIR_ROLES[row], fontsize=8, color=colour)
    pca_map.label_axes(axis)
    axis.grid(visible=False)
    axis.legend(
        fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=3, columnspacing=1, handletextpad=0.2
    )
    headline(
        figure,
        f"{title} Two sounds with {steps - 1} neighbours each, z + N(0, {NEIGHBOUR_STD}²).\n"
        "Strokes: parameters of the sound's own latent. Numbers: log-mel L1 to its rendering.",
    )
    return figure


def draw_neighbourhood(vectors: Path, audio: Path, space: Path, model: str, dataset: str, budget: str) -> Figure:
    """Draw the figure from the rendered neighbourhoods and the latents of the test set."""
    with reading(space) as file:
        latents = file["latent"][:, 0]
    return plot(read_rendered(vectors, audio), latents, f"{model}, {dataset}, budget {budget}.")
