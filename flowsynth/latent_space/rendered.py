"""What explorations sound like: their vectors and sounds, read together."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from flowsynth.core import hdf5
from flowsynth.data.features import Mel, numpy_mel
from flowsynth.rendering.audio import read_checked


@dataclass(frozen=True)
class Heard:
    """Lines of sounds.

    Attributes:
        ids: Of the lines.
        names: Of the parameters.
        truth: A preset to compare each line with, see `flowsynth.latent_space.traversals`.
        estimates: The presets of the steps, in [0, 1].
        latent: Of the steps; NaN where there is none.
        audio: Sounds of full scale 1.
        sample_rate: Hz.
        mel: Mel power, with the metrics' own settings.
    """

    ids: list[str]
    names: tuple[str, ...]
    truth: Float[np.ndarray, "lines parameters"]
    estimates: Float[np.ndarray, "lines steps parameters"]
    latent: Float[np.ndarray, "lines steps latent"]
    audio: Float[np.ndarray, "lines steps samples"]
    sample_rate: int
    mel: Float[np.ndarray, "lines steps mels frames"]


def listen(vectors: Path, audio: Path) -> Heard:
    """Read an exploration and what it sounds like.

    Args:
        vectors: As made by `flowsynth.latent_space.traversals.explore`.
        audio: As made of them by `flowsynth.rendering.resynthesis.resynthesise`.

    Raises:
        ValueError: If the sounds are not those of the vectors.
    """
    with hdf5.reading(vectors) as file:
        ids, names, truth = hdf5.ids(file).tolist(), hdf5.names(file), file["values"][:]
        estimates, latent = file["estimates"][:], file["latent"][:]
    lines, steps, _ = estimates.shape
    labels = [f"{i}/{s}" for i in ids for s in range(steps)]
    heard, rate = read_checked([audio], labels, names, estimates.reshape(lines * steps, -1))
    mel = numpy_mel(Mel(rate), heard)
    by_step = (lines, steps)
    return Heard(
        ids, names, truth, estimates, latent, heard.reshape(*by_step, -1), rate, mel.reshape(*by_step, *mel.shape[1:])
    )
