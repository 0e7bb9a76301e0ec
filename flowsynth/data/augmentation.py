"""Synthetic training presets, generated from the presets of a training set by crossover and jitter.

A synthetic preset takes most parameters, and all categories, from one preset and the others from a second one; half of
the results are then jittered. Categories, such as the algorithm of operators, decide what the other parameters mean.
This preserves part of the correlations between parameters and keeps most values in a useful range. Only the training
set is sampled; validation and test presets serve to reject near-duplicates, by parameters and by sound.

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
from flowsynth.data.distances import log_mel_distances
from flowsynth.data.presets import identity
from flowsynth.data.splits import SAME_SOUND
from flowsynth.synths.spec import SAME_PARAMETERS, Synth

CROSSOVER = 0.3  # probability that a parameter comes from the second preset
JITTERED = 0.5  # share of the synthetic presets that are jittered
JITTER = 0.03  # standard deviation of the jitter, as a share of a parameter's range
ROUNDS = 100  # maximum number of sampling rounds


def sample(
    parents: Float[np.ndarray, "presets parameters"],
    held_out: Float[np.ndarray, "others parameters"],
    free: Bool[np.ndarray, " parameters"],
    continuous: Bool[np.ndarray, " parameters"],
    category: Bool[np.ndarray, " parameters"],
    count: int,
    seed: int,
    same_parameters: float = SAME_PARAMETERS,
) -> Float[np.ndarray, "count parameters"]:
    """Sample synthetic presets.

    Args:
        parents: Presets of the training set, all parameters, in [0, 1].
        held_out: Presets of the validation and test sets; samples within `same_parameters` of one are rejected.
        free: Mask of the parameters that the data set infers. The others are equal in all presets and stay unchanged.
        continuous: Mask of the parameters that may be jittered; a stepped one is copied from either parent.
        category: Mask of the categories, which are all copied from the first parent.
        count: Number of presets.
        seed: Seed of the random generator.
        same_parameters: Mean absolute difference within which two presets are near-duplicates.

    Returns:
        Distinct presets, float32, none of them a parent.

    Raises:
        ValueError: If there are fewer than two parents, or too few samples differ from parents and held-out presets.
    """
    if len(parents) < 2:
        raise ValueError(f"{len(parents)} presets to sample from, expected at least 2")
    rng = np.random.default_rng(seed)
    known = {identity(row) for row in parents.tolist()}
    accepted: list[np.ndarray] = []
    for _ in range(ROUNDS):
        candidates = _cross_and_jitter(parents, free & continuous, category, count - len(accepted), rng)
        for row in candidates[~_near_duplicates(candidates[:, free], held_out[:, free], same_parameters)]:
            name = identity(row.tolist())
            if name not in known:
                known.add(name)
                accepted.append(row)
        if len(accepted) == count:
            return np.stack(accepted)
    raise ValueError(
        f"sampled {len(accepted)} of {count} presets in {ROUNDS} rounds: {len(parents)} presets yield no more "
        f"that are new and not within {same_parameters} of a held-out one. Lower `synthetic_presets` in the configuration"
    )


def _cross_and_jitter(
    parents: np.ndarray, jitterable: np.ndarray, category: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Cross random pairs of presets, and jitter half of the results."""
    first, second = parents[rng.integers(len(parents), size=(2, count))]
    children = np.where((rng.random(first.shape) < CROSSOVER) & ~category, second, first)
    jitter = rng.normal(0, JITTER, children.shape) * jitterable * (rng.random((count, 1)) < JITTERED)
    return np.clip(children + jitter, 0, 1).astype(np.float32)


def _near_duplicates(presets: np.ndarray, others: np.ndarray, same_parameters: float) -> np.ndarray:
    """Mark the presets that are near-duplicates of any of the others by their parameters."""
    near = np.zeros(len(presets), dtype=bool)
    for other in others:
        near |= np.abs(presets - other).mean(axis=1) <= same_parameters
    return near


def drop_near_duplicates(
    features: Path, held_out: Float[np.ndarray, "others mels frames"], path: Path
) -> tuple[int, int]:
    """Copy the items of a features file whose sounds are not near-duplicates of a held-out sound.

    Args:
        features: Features of synthetic presets, as written by `flowsynth.data.features.extract`.
        held_out: Log-mel spectrograms of the validation and test sets.
        path: Output file.

    Returns:
        Number of items written, and number of items read.
    """
    others = torch.from_numpy(held_out)
    with hdf5.reading(features) as source:
        ids, mel = hdf5.ids(source), source["mel"]
        spectrograms = (torch.from_numpy(mel[row]) for row in range(len(ids)))
        tracked = track(spectrograms, len(ids), f"filter {path}")
        rows = np.flatnonzero([bool((log_mel_distances(others, one) > SAME_SOUND).all()) for one in tracked])
        settings = hdf5.settings(source)
        with hdf5.writing(path, ids[rows], source["values"][:][rows], hdf5.names(source), settings) as file:
            target = hdf5.add_items(file, "mel", mel.shape[1:])
            hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = source["status"].asstr()[:][rows]
            for place, row in enumerate(rows):
                target[place] = mel[row]
    return len(rows), len(ids)


def sample_for_fold(
    presets: pd.DataFrame, split: pd.DataFrame, synth: Synth, names: Sequence[str], count: int, seed: int
) -> Float[np.ndarray, "count parameters"]:
    """Sample synthetic presets for the training set of a fold.

    Args:
        presets: Table read by `flowsynth.data.presets.read_table`.
        split: Rows of the fold, from a table made by `flowsynth.data.splits.split`.
        synth: The synthesizer.
        names: Names of the inferred parameters.
        count: Number of presets.
        seed: Seed of the random generator.

    Returns:
        Values of all parameters, float32.
    """
    values = presets.set_index("id")[list(synth.names)]
    parts = {name: values.loc[ids].to_numpy() for name, ids in split.groupby("part")["id"]}
    held_out = np.concatenate([parts["valid"], parts["test"]])
    free = np.isin(synth.names, names)
    continuous, category = (
        np.array([parameter.kind == kind for parameter in synth.parameters]) for kind in ("continuous", "category")
    )
    return sample(parts["train"], held_out, free, continuous, category, count, seed, synth.same_parameters)
