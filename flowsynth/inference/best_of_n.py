"""The best of several answers: each is rendered, and the one whose sound is closest to what was heard is kept.

The distance is the log-mel L1 of the networks' features, that of `flowsynth.inference.cma_es` and of the control
``nearest``. Nothing but the sound that was heard is compared with; the true parameters are passed on unseen. Torch is not
needed here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from flowsynth.core import hdf5
from flowsynth.core.progress import track
from flowsynth.inference.cma_es import ear, player
from flowsynth.rendering.audio import read_audio
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import Synth


def best(
    synth: Synth,
    note: Note,
    candidates: Path,
    targets: Sequence[Path],
    settings: Mapping[str, Any],
    timeout: float,
    path: Path,
) -> Float[np.ndarray, "items samples"]:
    """Write the best answer to each item, in the format of `flowsynth.inference.predict.infer`, and beside it what was tried.

    The file has ``values`` (the truth), ``estimates`` (items x 1 x parameters), ``distances`` (items x samples, in the
    order of the candidates) and ``chosen`` (the number of the best).

    Args:
        synth: The synthesizer.
        note: What is played.
        candidates: Several answers to each item, as made by `flowsynth.inference.predict.infer`.
        targets: Files of audio that hold the items.
        settings: Of the spectrogram: arguments of `flowsynth.data.features.Mel` but the sample rate.
        timeout: Seconds after which a rendering is given up; it counts as silence.
        path: Of the file to write.

    Returns:
        The distances.

    Raises:
        ValueError: If a sound is in none of the files, or the answers to each item are all the same: the model has only one.
    """
    with hdf5.reading(candidates) as file:
        ids, names = hdf5.ids(file).tolist(), hdf5.names(file)
        truth, estimates = file["values"][:], file["estimates"][:]
    if (estimates == estimates[:, :1]).all():
        raise ValueError(
            f"{candidates}: all {estimates.shape[1]} answers to each sound are the same, there is nothing to choose from. "
            "Take the model by its own name, or one that draws its answers"
        )
    heard = read_audio(targets, ids)
    play, hear = player(synth, note, names, timeout), ear(note.sample_rate, settings)
    distances = np.empty(estimates.shape[:2], dtype=np.float32)
    for row, name in enumerate(track(ids, len(ids), f"best {path.parent}")):
        goal = hear(heard[name])
        distances[row] = [np.abs(hear(play(values)) - goal).mean() for values in estimates[row]]
    chosen = distances.argmin(axis=1)
    made = {"candidates": str(candidates), "samples": estimates.shape[1], **settings}
    with hdf5.writing(path, ids, truth, names, made) as file:
        hdf5.add_items(file, "estimates", (1, len(names)))[:, 0] = estimates[np.arange(len(ids)), chosen]
        hdf5.add_items(file, "distances", distances.shape[1:])[:] = distances
        hdf5.add_items(file, "chosen", ())[:] = chosen
    return distances
