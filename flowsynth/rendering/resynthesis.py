"""Play what a model answered, by the very code that rendered the data set."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from flowsynth.core import hdf5
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render_shard
from flowsynth.synths.spec import Synth

PLUGIN = ("plugin_sha256", "dawdreamer")  # of `flowsynth.rendering.host.fingerprint`


def resynthesise(synth: Synth, note: Note, predictions: Path, path: Path, timeout: float) -> dict[str, int]:
    """Render the estimates of a file of predictions.

    Args:
        synth: The synthesizer.
        note: What is played.
        predictions: As made by `flowsynth.inference.predict.infer`.
        path: Of the file of audio to write; item and sample make the id, ``ITEM/SAMPLE``.
        timeout: Seconds after which the rendering of a preset is given up.

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
    """Refuse to compare sounds of two versions of a synthesizer.

    Args:
        targets: Files of audio; those that no synthesizer made are not looked at.
        path: Of the file of audio that is compared with them.

    Raises:
        ValueError: If another plugin or host made it; both are named.
    """
    with hdf5.reading(path) as file:
        ours = hdf5.settings(file)
    for target in targets:
        with hdf5.reading(target) as file:
            theirs = hdf5.settings(file)
        told = [
            f"{key} ({theirs[key]!s:.12} and {ours[key]!s:.12})"
            for key in PLUGIN
            if theirs.get(key, ours[key]) != ours[key]
        ]
        if told:
            raise ValueError(
                f"{target} and {path} were rendered by other versions of the synthesizer: {', '.join(told)}. Delete the older "
                f"of the two folders and run again, or install what made it"
            )
