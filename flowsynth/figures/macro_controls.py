"""Macro-controls: effect of one latent dimension on parameters and sound."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from flowsynth.data.descriptors import UNITS, describe
from flowsynth.figures.style import display_name, headline, most_varying, plot_spectrogram, styled
from flowsynth.latent_space.rendered import RenderedTraversals, read_rendered
from flowsynth.latent_space.traversals import parameter_change

SHOWN_PARAMETERS = 5  # number of parameters shown


@styled
def plot(traversals: RenderedTraversals, title: str, dimension: int | None = None) -> Figure:
    """Plot the spectrograms along one dimension, the parameters that change most, and descriptors of the sound.

    Args:
        traversals: Rendered traversals ``macro_controls``.
        title: Start of the title; a description is appended.
        dimension: Index of the latent dimension; by default the one whose parameters change most.

    Raises:
        ValueError: If the latent has no such dimension.
    """
    index = int(parameter_change(traversals.estimates).argmax()) if dimension is None else dimension
    if not 0 <= index < len(traversals.ids):
        raise ValueError(f"no dimension z{index}: the latent has dimensions z0 to z{len(traversals.ids) - 1}")
    positions = traversals.latent[index, :, index]
    figure = plt.figure(figsize=(9, 3.8), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[1, 1.3], squeeze=False).flat
    for step, axis in enumerate(above.subplots(1, len(positions))):
        plot_spectrogram(axis, traversals.mel[index, step])
        axis.set_title(f"{positions[step]:+.1f}", loc="center")
    left, right = below.subplots(1, 2)
    plot_trajectories(left, positions, traversals.estimates[index], traversals.names, SHOWN_PARAMETERS)
    left.set_xlabel(traversals.ids[index])
    descriptors = [describe(sound, traversals.sample_rate) for sound in traversals.audio[index]]
    for name, unit in UNITS.items():
        values = np.array([row[name] for row in descriptors])
        low, high = values.min(), values.max()
        relative = (values - low) / (high - low) if high > low else np.full_like(values, 0.5)
        label = f"{name} {low:,.3g} to {high:,.3g} {unit}".strip()
        right.plot(positions, relative, marker="o", markersize=3, label=label)
    right.set(title="Descriptors, scaled to their range", xlabel=traversals.ids[index], ylim=(-0.05, 1.05))
    right.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    note = "other dimensions 0" + ("; the one that changes parameters most" if dimension is None else "")
    headline(figure, f"{title} Dimension z{index} from {positions[0]:g} to {positions[-1]:g}, {note}.")
    return figure


def plot_trajectories(
    axis: Axes,
    positions: Float[np.ndarray, " steps"],
    estimates: Float[np.ndarray, "steps parameters"],
    names: Sequence[str],
    count: int,
) -> None:
    """Plot the parameters that change most along a traversal.

    Args:
        axis: Where to plot.
        positions: Latent value of each step.
        estimates: Parameters of each step, in [0, 1].
        names: Names of the parameters.
        count: Number of parameters to plot.
    """
    for column in most_varying(estimates, count):
        axis.plot(positions, estimates[:, column], marker="o", markersize=3, label=display_name(names[column]))
    axis.set(title=f"The {count} parameters that change most", ylim=(-0.05, 1.05))
    axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))


def draw_macro_controls(vectors: Path, audio: Path, model: str, dataset: str, budget: str, dimension: str) -> Figure:
    """Draw the figure from the rendered traversals of a model; `dimension` is empty or ``_zN``."""
    index = int(dimension.removeprefix("_z")) if dimension else None
    return plot(read_rendered(vectors, audio), f"{model}, {dataset}, budget {budget}.", index)
