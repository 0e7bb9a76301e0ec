"""Style, saving and panels shared by the figures."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from flowsynth.core.provenance import atomic_write, maker
from flowsynth.metrics.spectral import FLOOR

STYLE = Path(__file__).with_name("figures.mplstyle")
COLOURS = {"control": "0.55", "model": "#1f6f8b", "other": "#c8553d"}
LOUDEST, QUIETEST = 30.0, 10 * np.log10(FLOOR)  # dB of mel power: colour range of all spectrograms
MARKERS = {"mean": "s", "random": "^", "nearest": "D"}  # of the lines of controls


@contextmanager
def style() -> Iterator[None]:
    """Apply the style of all figures."""
    with mpl.rc_context(fname=STYLE):
        yield


def styled(plot: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorate a function that makes a figure, to apply the style of all figures."""

    @wraps(plot)
    def plot_with_style(*arguments: object, **options: object) -> Figure:
        with style():
            return plot(*arguments, **options)

    return plot_with_style


def save(figure: Figure, *paths: Path) -> None:
    """Save a figure in the formats of the paths' suffixes, with its provenance and without a date, and close it."""
    provenance = json.dumps(maker(), sort_keys=True)
    for path in paths:
        extension = path.suffix.lstrip(".")
        pdf = {"Creator": "flowsynth", "Subject": provenance, "CreationDate": None}
        with style(), atomic_write(path) as temporary:
            metadata = pdf if extension == "pdf" else {"Comment": provenance}
            figure.savefig(temporary, format=extension, metadata=metadata)
    plt.close(figure)


def headline(figure: Figure, text: str) -> None:
    """Add a left-aligned title above all panels."""
    figure.suptitle(text, x=0.01, ha="left", fontsize=9, parse_math=False)  # preset names may contain "$"


def plot_spectrogram(axis: Axes, power: Float[np.ndarray, "mels frames"]) -> None:
    """Plot mel power in dB, low bands at the bottom, on the colour scale of all figures."""
    decibels = 10 * np.log10(power + FLOOR)
    axis.imshow(decibels, origin="lower", aspect="auto", cmap="magma", vmin=QUIETEST, vmax=LOUDEST, rasterized=True)
    hide_frame(axis)


def hide_frame(axis: Axes) -> None:
    """Remove ticks, grid and spines."""
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)


def plot_parameters(
    axis: Axes,
    values: Float[np.ndarray, " parameters"],
    truth: Float[np.ndarray, " parameters"] | None = None,
    colour: str = COLOURS["model"],
) -> None:
    """Plot parameters as bars from 0 to 1, and their true values as strokes."""
    positions = np.arange(len(values))
    axis.bar(positions, values, width=0.8, color=colour)
    if truth is not None:
        axis.hlines(truth, positions - 0.45, positions + 0.45, color="black", linewidth=1)
    axis.set(xlim=(-0.7, len(values) - 0.3), ylim=(0, 1))
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)
    axis.spines["left"].set_visible(False)
    axis.spines["bottom"].set_color("0.7")


def line_style(model: str, is_control: bool, index: int) -> dict[str, Any]:
    """Return Matplotlib's options for the line of a model: controls are grey and dashed, with markers of their own.

    Args:
        model: Name of the model.
        is_control: Whether it is a control.
        index: Position among the models of the figure, which selects the colour.
    """
    common = {"linewidth": 1, "markersize": 4}
    if is_control:
        return common | {"color": "0.6", "linestyle": "--", "marker": MARKERS.get(model, "o")}
    colours = mpl.color_sequences["tab20"]
    return common | {"color": colours[index % len(colours)], "marker": "."}


def most_varying(estimates: Float[np.ndarray, "steps parameters"], count: int) -> Sequence[int]:
    """Return the parameters with the largest standard deviation over steps, in descending order."""
    return np.argsort(-estimates.std(axis=0), kind="stable")[:count].tolist()


def display_name(parameter: str) -> str:
    """Format the name of a parameter for a label."""
    return parameter.replace("_", " ")
