"""What figures share: style, saving, and the panels that several of them have."""

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
from flowsynth.models.registry import is_control

STYLE = Path(__file__).with_name("figures.mplstyle")
COLOURS = {"control": "0.55", "model": "#1f6f8b", "other": "#c8553d"}
LOUDEST, QUIETEST = 30.0, 10 * np.log10(FLOOR)  # dB of mel power that the colours of spectrograms span
MARKS = {"mean": "s", "random": "^", "nearest": "D"}  # of the lines of controls


@contextmanager
def style() -> Iterator[None]:
    """Draw in the style of all figures."""
    with mpl.rc_context(fname=STYLE):
        yield


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Let a function draw in the style of all figures."""

    @wraps(draw)
    def drawn(*arguments: object, **options: object) -> Figure:
        with style():
            return draw(*arguments, **options)

    return drawn


def save(figure: Figure, *paths: Path) -> None:
    """Write a figure in the formats that the names end with; it names its maker and bears no date."""
    made = json.dumps(maker(), sort_keys=True)
    for path in paths:
        kind = path.suffix.lstrip(".")
        pdf = {"Creator": "flowsynth", "Subject": made, "CreationDate": None}
        with style(), atomic_write(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=pdf if kind == "pdf" else {"Comment": made})
    plt.close(figure)


def headline(figure: Figure, text: str) -> None:
    """Put a title above all panels, from the left."""
    figure.suptitle(text, x=0.01, ha="left", fontsize=9, parse_math=False)  # a name may have dollars


def spectrogram(axis: Axes, power: Float[np.ndarray, "mels frames"]) -> None:
    """Show mel power in dB, low bands below; all spectrograms of all figures have the same colours."""
    decibels = 10 * np.log10(power + FLOOR)
    axis.imshow(decibels, origin="lower", aspect="auto", cmap="magma", vmin=QUIETEST, vmax=LOUDEST, rasterized=True)
    bare(axis)


def bare(axis: Axes) -> None:
    """Take away ticks, grid and spines."""
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)


def bars(
    axis: Axes,
    values: Float[np.ndarray, " parameters"],
    truth: Float[np.ndarray, " parameters"] | None = None,
    colour: str = COLOURS["model"],
) -> None:
    """Show parameters as bars from 0 to 1, and the true ones as strokes."""
    places = np.arange(len(values))
    axis.bar(places, values, width=0.8, color=colour)
    if truth is not None:
        axis.hlines(truth, places - 0.45, places + 0.45, color="black", linewidth=1)
    axis.set(xlim=(-0.7, len(values) - 0.3), ylim=(0, 1))
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)
    axis.spines["left"].set_visible(False)
    axis.spines["bottom"].set_color("0.7")


def line(model: str, number: int) -> dict[str, Any]:
    """How the line of a model is drawn, the number-th of a figure: controls are grey and dashed, and told by their marks."""
    plain = {"linewidth": 1, "markersize": 4}
    if is_control(model):
        return plain | {"color": "0.6", "linestyle": "--", "marker": MARKS.get(model, "o")}
    colours = mpl.color_sequences["tab20"]
    return plain | {"color": colours[number % len(colours)], "marker": "."}


def moving(estimates: Float[np.ndarray, "steps parameters"], number: int) -> Sequence[int]:
    """The parameters that move most on a line, by their standard deviation over its steps, the first one most."""
    return np.argsort(-estimates.std(axis=0), kind="stable")[:number].tolist()


def readable(parameter: str) -> str:
    """Name of a parameter for a label."""
    return parameter.replace("_", " ")
