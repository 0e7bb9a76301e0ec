"""Play what a model answered, by the very code that rendered the data set."""

from pathlib import Path

import numpy as np

from flowsynth import store
from flowsynth.host import Note
from flowsynth.render import render_shard
from flowsynth.synths import Synth


def resynthesise(synth: Synth, note: Note, predictions: Path, path: Path, timeout: float) -> dict[str, int]:
    """Render the estimates of a file of predictions.

    Args:
        synth: The synthesizer.
        note: What is played.
        predictions: As made by `flowsynth.infer.infer`.
        path: Of the file of audio to write; item and sample make the id, ``ITEM/SAMPLE``.
        timeout: Seconds after which the rendering of a preset is given up.

    Returns:
        Number of sounds by status.
    """
    with store.reading(predictions) as file:
        ids, names, estimates = store.ids(file), store.names(file), file["estimates"][:]
    items, samples, _ = estimates.shape
    labels = [f"{ids[i]}/{s}" for i in range(items) for s in range(samples)]
    values = synth.expand(np.reshape(estimates, (items * samples, -1)), names)
    return render_shard(synth, note, labels, values, path, timeout)
