"""More presets to train on than people made: drawn from the presets of a training part by crossover and jitter.

A drawn preset has most parameters of one preset and the others of another; half of them are then moved a little. What
people made is thus kept in part: how parameters hang together, and that most are where they make sense. Drawing knows the
training part; held-out presets are only looked at to stay away from them, by the parameters and by the sound.

References:
    Goldberg 1989, "Genetic algorithms": uniform crossover.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float

from flowsynth.core import hdf5
from flowsynth.core.progress import track
from flowsynth.data.presets import identity
from flowsynth.data.splits import SAME_PARAMETERS, SAME_SOUND
from flowsynth.metrics.distances import log_mel_distances
from flowsynth.synths.spec import Synth

CROSSOVER = 0.3  # probability that a parameter comes from the second preset
JITTERED = 0.5  # share of the drawn presets that are moved
JITTER = 0.03  # standard deviation of the move, of a parameter's range
ROUNDS = 100  # of drawing again what was too close to a held-out preset


def sample(
    parents: Float[np.ndarray, "presets parameters"],
    held_out: Float[np.ndarray, "others parameters"],
    free: Bool[np.ndarray, " parameters"],
    continuous: Bool[np.ndarray, " parameters"],
    count: int,
    seed: int,
) -> Float[np.ndarray, "count parameters"]:
    """Draw presets.

    Args:
        parents: Presets of the training part, all parameters, in [0, 1].
        held_out: Presets of the validation and test parts; what comes within `SAME_PARAMETERS` of one is drawn again.
        free: Parameters that the data set infers. The others are the same in all presets and stay as they are.
        continuous: Parameters that may be moved; a stepped one is taken from either preset as it is.
        count: How many.
        seed: Of the draw.

    Returns:
        Distinct presets, float32, none of them a parent.

    Raises:
        ValueError: If there are fewer than two parents, or too few presets can be found that are none of the held-out ones.
    """
    if len(parents) < 2:
        raise ValueError(f"{len(parents)} presets to draw from, expected at least 2")
    rng = np.random.default_rng(seed)
    known = {identity(row) for row in parents.tolist()}
    found: list[np.ndarray] = []
    for _ in range(ROUNDS):
        drawn = _draw(parents, free & continuous, count - len(found), rng)
        for row in drawn[~_close(drawn[:, free], held_out[:, free])]:
            name = identity(row.tolist())
            if name not in known:
                known.add(name)
                found.append(row)
        if len(found) == count:
            return np.stack(found)
    raise ValueError(
        f"{len(found)} of {count} presets drawn in {ROUNDS} rounds: from {len(parents)} presets no more can be made that are "
        f"new and not within {SAME_PARAMETERS} of a held-out one. Ask for fewer (config: sampled)"
    )


def _draw(parents: np.ndarray, moved: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Cross pairs of presets, and move half of the results."""
    first, second = parents[rng.integers(len(parents), size=(2, count))]
    drawn = np.where(rng.random(first.shape) < CROSSOVER, second, first)
    jitter = rng.normal(0, JITTER, drawn.shape) * moved * (rng.random((count, 1)) < JITTERED)
    return np.clip(drawn + jitter, 0, 1).astype(np.float32)


def _close(presets: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Tell which presets are near-duplicates of any of the others by their parameters."""
    close = np.zeros(len(presets), dtype=bool)
    for other in others:
        close |= np.abs(presets - other).mean(axis=1) <= SAME_PARAMETERS
    return close


def keep_apart(features: Path, held_out: Float[np.ndarray, "others mels frames"], path: Path) -> tuple[int, int]:
    """Write those of a file of features that no held-out preset sounds like, within what `flowsynth.data.splits` allows.

    Args:
        features: Of drawn presets, as made by `flowsynth.data.features.extract`.
        held_out: Log-mel spectrograms of the validation and test parts.
        path: Of the file to write.

    Returns:
        How many were written, and how many there were.
    """
    others = torch.from_numpy(held_out)
    with hdf5.reading(features) as source:
        ids, mel = hdf5.ids(source), source["mel"]
        heard = (torch.from_numpy(mel[row]) for row in range(len(ids)))
        told = track(heard, len(ids), f"apart {path}")
        rows = np.flatnonzero([bool((log_mel_distances(others, one) > SAME_SOUND).all()) for one in told])
        made = hdf5.settings(source)
        with hdf5.writing(path, ids[rows], source["values"][:][rows], hdf5.names(source), made) as file:
            target = hdf5.add_items(file, "mel", mel.shape[1:])
            hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = source["status"].asstr()[:][rows]
            for place, row in enumerate(rows):
                target[place] = mel[row]
    return len(rows), len(ids)


def sample_for(
    presets: pd.DataFrame, split: pd.DataFrame, synth: Synth, names: Sequence[str], count: int, seed: int
) -> Float[np.ndarray, "count parameters"]:
    """Draw presets for the training part of a fold.

    Args:
        presets: As read by `flowsynth.data.presets.read_table`.
        split: Rows of the fold of a table made by `flowsynth.data.splits.split`.
        synth: The synthesizer.
        names: Of the inferred parameters.
        count: How many.
        seed: Of the draw.

    Returns:
        Full vectors, float32.
    """
    values = presets.set_index("id")[list(synth.names)]
    parts = {name: values.loc[ids].to_numpy() for name, ids in split.groupby("part")["id"]}
    held_out = np.concatenate([parts["valid"], parts["test"]])
    free = np.isin(synth.names, names)
    continuous = np.array([parameter.kind == "continuous" for parameter in synth.parameters])
    return sample(parts["train"], held_out, free, continuous, count, seed)
