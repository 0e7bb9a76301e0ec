"""Latent traversals read together with their renderings."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from flowsynth.core import hdf5
from flowsynth.data.features import Mel, numpy_mel
from flowsynth.rendering.audio import read_checked


@dataclass(frozen=True)
class RenderedTraversals:
    """Latent traversals and their sounds.

    Attributes:
        ids: Ids of the lines.
        names: Names of the parameters.
        truth: Reference preset of each line, see `flowsynth.latent_space.traversals`.
        estimates: Presets of the steps, in [0, 1].
        latent: Latents of the steps; NaN outside the latent space.
        audio: Sounds of the steps, full scale 1.
        sample_rate: Sample rate, Hz.
        mel: Mel power spectrograms, with the settings of the metrics.
    """

    ids: list[str]
    names: tuple[str, ...]
    truth: Float[np.ndarray, "lines parameters"]
    estimates: Float[np.ndarray, "lines steps parameters"]
    latent: Float[np.ndarray, "lines steps latent"]
    audio: Float[np.ndarray, "lines steps samples"]
    sample_rate: int
    mel: Float[np.ndarray, "lines steps mels frames"]


def read_rendered(vectors: Path, audio: Path) -> RenderedTraversals:
    """Read latent traversals and their renderings.

    Args:
        vectors: Traversals, as written by `flowsynth.latent_space.traversals.traverse`.
        audio: Their renderings, as written by `flowsynth.rendering.resynthesis.resynthesise`.

    Raises:
        ValueError: If the renderings do not belong to the traversals.
    """
    with hdf5.reading(vectors) as file:
        ids, names, truth = hdf5.ids(file).tolist(), hdf5.names(file), file["values"][:]
        estimates, latent = file["estimates"][:], file["latent"][:]
    lines, steps, _ = estimates.shape
    labels = [f"{line}/{step}" for line in ids for step in range(steps)]
    sounds, rate = read_checked([audio], labels, names, estimates.reshape(lines * steps, -1))
    mel = numpy_mel(Mel(rate), sounds)
    sounds, mel = (array.reshape(lines, steps, *array.shape[1:]) for array in (sounds, mel))
    return RenderedTraversals(ids, names, truth, estimates, latent, sounds, rate, mel)
