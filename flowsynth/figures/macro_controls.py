"""Macro-controls: what moves when one dimension of the latent does."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from flowsynth.data.descriptors import UNITS, describe
from flowsynth.figures.style import headline, moving, readable, spectrogram, styled
from flowsynth.latent_space.rendered import RenderedTraversals

PARAMETERS = 5  # shown


def most_moving(estimates: Float[np.ndarray, "lines steps parameters"]) -> int:
    """The line whose parameters move most: the mean over parameters of their standard deviation over steps."""
    return int(estimates.std(axis=1).mean(axis=1).argmax())


@styled
def draw(heard: RenderedTraversals, title: str, dimension: int | None = None) -> Figure:
    """Draw the spectrograms along one dimension, the parameters that move most and descriptors of the sound.

    Args:
        heard: The exploration ``macro_controls``.
        title: Of the figure; what is shown is added to it.
        dimension: To show; the one whose parameters move most, if none is given.

    Raises:
        ValueError: If there is no such dimension.
    """
    shown = most_moving(heard.estimates) if dimension is None else dimension
    if not 0 <= shown < len(heard.ids):
        raise ValueError(f"dimension z{shown}: the latent has the dimensions z0 to z{len(heard.ids) - 1}")
    place = heard.latent[shown, :, shown]
    figure = plt.figure(figsize=(9, 3.8), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[1, 1.3], squeeze=False).flat
    for step, axis in enumerate(above.subplots(1, len(place))):
        spectrogram(axis, heard.mel[shown, step])
        axis.set_title(f"{place[step]:+.1f}", loc="center")
    left, right = below.subplots(1, 2)
    lines(left, place, heard.estimates[shown], heard.names, PARAMETERS)
    left.set_xlabel(heard.ids[shown])
    described = [describe(sound, heard.sample_rate) for sound in heard.audio[shown]]
    for name, unit in UNITS.items():
        values = np.array([row[name] for row in described])
        low, high = values.min(), values.max()
        relative = (values - low) / (high - low) if high > low else np.full_like(values, 0.5)
        right.plot(place, relative, marker="o", markersize=3, label=f"{name} {low:,.3g} to {high:,.3g} {unit}".strip())
    right.set(title="Descriptors, each over its range", xlabel=heard.ids[shown], ylim=(-0.05, 1.05))
    right.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    why = "the others 0" + (": the one whose parameters move most" if dimension is None else "")
    headline(figure, f"{title} Dimension z{shown} from {place[0]:g} to {place[-1]:g}, {why}.")
    return figure


def lines(
    axis: Axes,
    place: Float[np.ndarray, " steps"],
    estimates: Float[np.ndarray, "steps parameters"],
    names: Sequence[str],
    number: int,
) -> None:
    """Show the parameters that move most along a line."""
    for column in moving(estimates, number):
        axis.plot(place, estimates[:, column], marker="o", markersize=3, label=readable(names[column]))
    axis.set(title=f"The {number} parameters that move most", ylim=(-0.05, 1.05))
    axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
