"""Reconstruction: target sounds, and the prediction of each model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure

from flowsynth.core import hdf5
from flowsynth.core.readers import read_csv
from flowsynth.data.features import Mel, numpy_mel
from flowsynth.evaluation.example_selection import QUANTILES
from flowsynth.figures.style import COLOURS, headline, plot_parameters, plot_spectrogram, styled
from flowsynth.metrics.spectral import log_mel_l1
from flowsynth.rendering.audio import read_checked
from flowsynth.synths import spec


@dataclass(frozen=True)
class RenderedPresets:
    """Presets and the mel power of their renderings."""

    values: Float[np.ndarray, "items parameters"]
    mel: Float[np.ndarray, "items mels frames"]


def read_targets(audio: Sequence[Path], predictions: Path, ids: Sequence[str]) -> RenderedPresets:
    """Read target sounds.

    Args:
        audio: Audio files of the data set.
        predictions: Predictions of any model for the items.
        ids: Ids of the items.
    """
    return _read(audio, predictions, ids, "values", "")


def read_predictions(audio: Path, predictions: Path, ids: Sequence[str]) -> RenderedPresets:
    """Read the first prediction of a model for each item.

    Args:
        audio: Rendered predictions.
        predictions: Predictions of the model.
        ids: Ids of the items.
    """
    return _read([audio], predictions, ids, "estimates", "/0")


def _read(paths: Sequence[Path], predictions: Path, ids: Sequence[str], kind: str, suffix: str) -> RenderedPresets:
    with hdf5.reading(predictions) as file:
        names = hdf5.names(file)
    by_id = hdf5.read_items([predictions], kind, ids)
    values = np.array([by_id[i] if kind == "values" else by_id[i][0] for i in ids])
    audio, rate = read_checked(paths, [f"{i}{suffix}" for i in ids], names, values)
    return RenderedPresets(values, numpy_mel(Mel(rate), audio))


@styled
def plot(
    targets: RenderedPresets,
    predictions: Mapping[str, RenderedPresets],
    selection: pd.DataFrame,
    names: Sequence[str],
    title: str,
) -> Figure:
    """Plot one row per model and, for each item, its spectrogram, its parameters and the log-mel L1 to the target.

    Args:
        targets: Target presets and sounds.
        predictions: Predictions of each model.
        selection: Items, with columns role and item, in the order of `targets`.
        names: Names of the parameters, from left to right.
        title: Title of the figure.
    """
    rows = {"original": targets, **predictions}
    items = len(selection)
    width, height = 2.6 * items + 0.8, 0.75 * len(rows) + 1.3
    # fixed margins: an automatic layout of so many panels takes most of the time
    margins = {"left": 0.8 / width, "right": 0.99, "top": 1 - 0.85 / height, "bottom": 0.45 / height, "hspace": 0.3}
    figure, axes = plt.subplots(
        len(rows), 2 * items, figsize=(width, height), squeeze=False, gridspec_kw={**margins, "wspace": 0.06}
    )
    for row, (model, presets) in enumerate(rows.items()):
        distances = log_mel_l1(targets.mel, presets.mel)
        for item in range(items):
            left, right = axes[row, 2 * item : 2 * item + 2]
            plot_spectrogram(left, presets.mel[item])
            is_target = model == "original"
            colour = COLOURS["control" if is_target else "model"]
            plot_parameters(right, presets.values[item], None if is_target else targets.values[item], colour)
            if not is_target:
                right.set_title(f"{distances[item]:.2f}", fontsize=7, loc="right", pad=1)
        axes[row, 0].set_ylabel(model, rotation=0, ha="right", va="center")
    for item, selected in enumerate(selection.itertuples()):
        axes[0, 2 * item].set_title(f"{selected.role} ({selected.item})", fontsize=8)
    headline(figure, title)
    caption = "parameters from left to right: " + _wrap(names)
    figure.text(0.01, 0.3 / height, caption, fontsize=7, ha="left", va="top")
    return figure


def _wrap(names: Sequence[str], per_line: int = 9) -> str:
    lines = [", ".join(names[start : start + per_line]) for start in range(0, len(names), per_line)]
    return ",\n".join(lines)


def draw_reconstruction(
    targets: Sequence[Path],
    selection: Path,
    predictions: Sequence[Path],
    audio: Sequence[Path],
    models: Sequence[str],
    dataset: str,
    budget: str,
) -> Figure:
    """Draw the figure from the selected items, and the predictions and their renderings of each model, in one order."""
    selected = read_csv(selection, dtype={"item": str})
    selected = selected[selected["role"].isin(QUANTILES)]
    ids = selected["item"].tolist()
    by_model = {
        model: read_predictions(rendered, predicted, ids)
        for model, predicted, rendered in zip(models, predictions, audio, strict=True)
    }
    title = (
        f"{dataset}, budget {budget}. Items at the best decile, the median and the worst decile "
        f"{selected['reason'].iloc[0].split(' decile ')[1]}.\nStrokes: true parameters. Numbers: log-mel L1."
    )
    _, names = spec.dataset(dataset)
    return plot(read_targets(targets, predictions[0], ids), by_model, selected, names, title)
