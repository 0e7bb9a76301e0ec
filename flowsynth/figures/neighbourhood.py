"""Neighbourhoods: what sounds are like whose latents are close to that of a sound."""

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from flowsynth.figures.pca_map import Map
from flowsynth.figures.style import COLOURS, bars, headline, spectrogram, styled
from flowsynth.latent_space.rendered import RenderedTraversals
from flowsynth.latent_space.traversals import NEIGHBOUR_STD, PAIR_ROLES
from flowsynth.metrics.spectral import log_mel_l1

SIDES = (
    ("pa", "sa", COLOURS["model"]),
    ("pb", "sb", COLOURS["other"]),
)  # parameters, spectrogram, colour of each sound


@styled
def draw(heard: RenderedTraversals, everything: Float[np.ndarray, "items latent"], title: str) -> Figure:
    """Draw two sounds with their neighbours: parameters, spectrogram, and the place in the latent space between them.

    Args:
        heard: The exploration ``neighbourhood``.
        everything: Latents of all sounds of the test part, whose principal components are the map.
        title: Of the figure; what is shown is added to it.
    """
    steps = heard.estimates.shape[1]
    figure, axes = plt.subplot_mosaic(
        [[f"pa{step}", f"sa{step}", "map", f"sb{step}", f"pb{step}"] for step in range(steps)],
        figsize=(9, 0.75 * steps + 0.7), width_ratios=[1, 1, 2.4, 1, 1], layout="constrained",
    )  # fmt: skip
    plane, axis = Map(everything), axes["map"]
    x, y = plane.place(everything).T
    axis.scatter(x, y, s=4, color="0.8", label="test part")
    for line, (parameters, sound, colour) in enumerate(SIDES):
        own = np.repeat(heard.mel[line, :1], steps, axis=0)
        distance = log_mel_l1(own, heard.mel[line])
        for step in range(steps):
            bars(
                axes[f"{parameters}{step}"],
                heard.estimates[line, step],
                heard.estimates[line, 0] if step else None,
                colour,
            )
            spectrogram(axes[f"{sound}{step}"], heard.mel[line, step])
            said = f"+{distance[step]:.2f}" if step else "its own latent"
            axes[f"{sound}{step}"].set_title(said, fontsize=7, pad=1)
        x, y = plane.place(heard.latent[line]).T
        axis.scatter(x[1:], y[1:], s=14, color=colour, linewidth=0)
        axis.scatter(
            x[:1], y[:1], s=50, facecolor="none", edgecolor=colour, label=f"{PAIR_ROLES[line]}: {heard.ids[line]}"
        )
        axes[f"{parameters}0"].set_title(PAIR_ROLES[line], fontsize=8, color=colour)
    plane.label(axis)
    axis.grid(visible=False)
    axis.legend(
        fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=3, columnspacing=1, handletextpad=0.2
    )
    headline(
        figure,
        f"{title} Two sounds and {steps - 1} neighbours each, z + N(0, {NEIGHBOUR_STD}²).\n"
        "Strokes: parameters of the sound's own latent. Numbers: log-mel L1 to its sound.",
    )
    return figure
