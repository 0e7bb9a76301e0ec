"""Render the predictions of a model with the code that rendered the data set."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from flowsynth.core import hdf5
from flowsynth.rendering.host import Note, plugin_differences
from flowsynth.rendering.render import render_shard
from flowsynth.synths.spec import Synth


def resynthesise(synth: Synth, note: Note, predictions: Path, path: Path, timeout: float) -> dict[str, int]:
    """Render the estimates of a prediction file.

    Args:
        synth: Synthesizer.
        note: Note to play.
        predictions: File written by `flowsynth.inference.predict.infer`.
        path: Output audio file; ids are ``ITEM/SAMPLE``.
        timeout: Maximum duration of a rendering in seconds.

    Returns:
        Number of sounds by status.
    """
    with hdf5.reading(predictions) as file:
        ids, names, estimates = hdf5.ids(file), hdf5.names(file), file["estimates"][:]
    items, samples, _ = estimates.shape
    labels = [f"{ids[i]}/{s}" for i in range(items) for s in range(samples)]
    values = synth.expand(np.reshape(estimates, (items * samples, -1)), names)
    return render_shard(synth, note, labels, values, path, timeout)


def require_same_plugin(targets: Sequence[Path], path: Path) -> None:
    """Refuse to compare sounds of different versions of a synthesizer.

    Args:
        targets: Target audio files; those not rendered by a synthesizer are skipped.
        path: Audio file to compare with them.

    Raises:
        ValueError: If a target was rendered by another plugin or host; both are named.
    """
    with hdf5.reading(path) as file:
        settings = hdf5.settings(file)
    for target in targets:
        with hdf5.reading(target) as file:
            differences = plugin_differences(hdf5.settings(file), settings)
        if differences:
            raise ValueError(
                f"{target} and {path} were rendered by other versions of the synthesizer: {', '.join(differences)}. "
                "Delete the older of the two folders and run again, or install the version that rendered it"
            )
