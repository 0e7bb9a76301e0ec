"""Reconstruction: what was to be heard, and what each model made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure

from flowsynth.core import hdf5
from flowsynth.data.features import Mel, numpy_mel
from flowsynth.figures.style import COLOURS, bars, headline, spectrogram, styled
from flowsynth.metrics.spectral import log_mel_l1
from flowsynth.rendering.audio import read_checked


@dataclass(frozen=True)
class Sounded:
    """Presets and their mel power."""

    values: Float[np.ndarray, "items parameters"]
    mel: Float[np.ndarray, "items mels frames"]


def target(paths: Sequence[Path], predictions: Path, ids: Sequence[str]) -> Sounded:
    """Read the sounds that were to be made.

    Args:
        paths: Files of audio of the data set.
        predictions: Of any model that answered them.
        ids: Of the items.
    """
    return _read(paths, predictions, ids, "values", "")


def answer(audio: Path, predictions: Path, ids: Sequence[str]) -> Sounded:
    """Read the first answers of a model.

    Args:
        audio: What its answers sound like.
        predictions: Its answers.
        ids: Of the items.
    """
    return _read([audio], predictions, ids, "estimates", "/0")


def _read(paths: Sequence[Path], predictions: Path, ids: Sequence[str], kind: str, suffix: str) -> Sounded:
    with hdf5.reading(predictions) as file:
        place = {name: row for row, name in enumerate(hdf5.ids(file))}
        names, values = hdf5.names(file), file[kind][:]
    values = (values if kind == "values" else values[:, 0])[[place[i] for i in ids]]
    audio, rate = read_checked(paths, [f"{i}{suffix}" for i in ids], names, values)
    return Sounded(values, numpy_mel(Mel(rate), audio))


@styled
def draw(
    original: Sounded, answers: Mapping[str, Sounded], chosen: pd.DataFrame, names: Sequence[str], title: str
) -> Figure:
    """Draw one row a model and, for each item, its spectrogram, its parameters and the log-mel L1 to the original.

    Args:
        original: What was to be heard.
        answers: What each model made of it.
        chosen: The items, columns role and item, in the order of `original`.
        names: Of the parameters, from left to right.
        title: Of the figure.
    """
    shown = {"original": original, **answers}
    items = len(chosen)
    width, height = 2.6 * items + 0.8, 0.75 * len(shown) + 1.3
    # by hand: a layout that measures so many panels takes most of the time
    margins = {"left": 0.8 / width, "right": 0.99, "top": 1 - 0.85 / height, "bottom": 0.45 / height, "hspace": 0.3}
    figure, axes = plt.subplots(
        len(shown), 2 * items, figsize=(width, height), squeeze=False, gridspec_kw={**margins, "wspace": 0.06}
    )
    for line, (model, sounded) in enumerate(shown.items()):
        distance = log_mel_l1(original.mel, sounded.mel)
        for item in range(items):
            left, right = axes[line, 2 * item : 2 * item + 2]
            spectrogram(left, sounded.mel[item])
            is_original = model == "original"
            colour = COLOURS["control" if is_original else "model"]
            bars(right, sounded.values[item], None if is_original else original.values[item], colour)
            if not is_original:
                right.set_title(f"{distance[item]:.2f}", fontsize=7, loc="right", pad=1)
        axes[line, 0].set_ylabel(model, rotation=0, ha="right", va="center")
    for item, row in enumerate(chosen.itertuples()):
        axes[0, 2 * item].set_title(f"{row.role} ({row.item})", fontsize=8)
    headline(figure, title)
    names_of = "parameters from left to right: " + _wrapped(names)
    figure.text(0.01, 0.3 / height, names_of, fontsize=7, ha="left", va="top")
    return figure


def _wrapped(names: Sequence[str], line: int = 9) -> str:
    parts = [", ".join(names[start : start + line]) for start in range(0, len(names), line)]
    return ",\n".join(parts)
