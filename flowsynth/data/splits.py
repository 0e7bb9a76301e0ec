"""Splits into training, validation and test sets that depend on the identity of presets, not on their order.

In each fold, a hash of its identity, the seed and the fold gives each preset (or group of near-duplicates) a random
number. In the order of these numbers, groups fill the test set, then the validation set; the rest is the training set.

``random`` assigns presets independently in each fold, as the paper does. ``grouped`` keeps near-duplicates in one
partition: connected components of the pairs of presets whose parameters or sounds are close. A group larger than a
quarter of the test set stays in the training set. ``published`` keeps the split that comes with the data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import radius_neighbors_graph

from flowsynth.core.mel_filters import log_mel_distance
from flowsynth.core.seeding import uniform_by_id
from flowsynth.synths.spec import SAME_PARAMETERS

HELD_OUT = 0.1  # share of the presets in each of test and validation set
SAME_SOUND = 0.05  # log-mel L1 within which two sounds are near-duplicates
PARTS = ("train", "valid", "test")
LARGE = 0.25  # share of the test set above which a group stays in the training set
REPORTED = {"parameters": (0.01, 0.05), "sound": (0.05, 0.2)}  # radii within which leaks are counted
POOL = 8  # tiles per side of the pooled spectrogram used to find candidate pairs


@dataclass(frozen=True)
class ClosePairs:
    """Pairs of close items.

    Attributes:
        first: Index of one item.
        second: Index of the other item, larger than `first`.
        distance: Distance between them.
    """

    first: np.ndarray
    second: np.ndarray
    distance: np.ndarray

    def within(self, radius: float) -> "ClosePairs":
        """Select the pairs with a distance of at most `radius`."""
        near = self.distance <= radius
        return ClosePairs(self.first[near], self.second[near], self.distance[near])


def close_parameters(values: Float[np.ndarray, "items parameters"], radius: float) -> ClosePairs:
    """Find all pairs of presets within a mean absolute difference of `radius`."""
    width = values.shape[1]
    graph = radius_neighbors_graph(values, radius * width, mode="distance", metric="manhattan").tocoo()
    upper = graph.row < graph.col
    return ClosePairs(graph.row[upper], graph.col[upper], graph.data[upper] / width)


def close_sounds(mel: Float[np.ndarray, "items mels frames"], radius: float) -> ClosePairs:
    """Find all pairs of sounds within a log-mel L1 of `radius`.

    The distance between mean-pooled spectrograms is a lower bound, so only pairs that are close after pooling are
    compared in full.
    """
    items, mels, frames = mel.shape
    tiles = mel[:, : mels - mels % POOL, : frames - frames % POOL]
    tiles = tiles.reshape(items, POOL, mels // POOL, POOL, frames // POOL).mean(axis=(2, 4)).reshape(items, -1)
    share = (mels - mels % POOL) * (frames - frames % POOL) / (mels * frames)
    candidates = close_parameters(tiles, radius / share * (1 + 1e-5))
    distance = np.empty(len(candidates.first), dtype=np.float32)
    for start in range(0, len(distance), 1000):
        rows = slice(start, start + 1000)
        distance[rows] = log_mel_distance(mel[candidates.first[rows]], mel[candidates.second[rows]])
    return ClosePairs(candidates.first, candidates.second, distance).within(radius)


def connected_groups(items: int, *pairs: ClosePairs) -> Int[np.ndarray, " items"]:
    """Label the connected components of a graph of pairs; an item without a pair is its own group."""
    first = np.concatenate([p.first for p in pairs])
    second = np.concatenate([p.second for p in pairs])
    graph = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(items, items))
    return connected_components(graph, directed=False)[1]


def assign_parts(ids: list[str], group: Int[np.ndarray, " items"], seed: int, fold: int) -> list[str]:
    """Assign presets to the partitions of one fold.

    Args:
        ids: Ids of the presets.
        group: Group label of each preset; members of a group are assigned to the same partition.
        seed: Seed of the benchmark.
        fold: Number of the fold.

    Returns:
        ``train``, ``valid`` or ``test`` for each preset.

    Raises:
        ValueError: If there are too few presets or groups to fill all three partitions.
    """
    members = pd.Series(range(len(ids))).groupby(group).indices
    names = {min(ids[i] for i in rows): rows for rows in members.values()}
    order = sorted(zip(uniform_by_id(names, seed, "fold", fold), names, strict=True))
    target = round(HELD_OUT * len(ids))
    parts = np.full(len(ids), "train", dtype=object)
    filled = {"test": 0, "valid": 0}
    for _, name in order:
        rows = names[name]
        if len(rows) > max(1, LARGE * target):
            continue
        for part, count in filled.items():
            if count + len(rows) <= target:
                parts[rows] = part
                filled[part] += len(rows)
                break
    if not all(filled.values()):
        raise ValueError(
            f"{len(ids)} presets in {len(names)} groups are too few for train, valid and test: use more presets"
        )
    return parts.tolist()


def split(
    kind: str,
    ids: list[str],
    values: Float[np.ndarray, "items parameters"],
    mel: Float[np.ndarray, "items mels frames"],
    folds: int,
    seed: int,
    banks: Sequence[str] = (),
    same_parameters: float = SAME_PARAMETERS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split presets into folds, and count the test items that have a near-duplicate in the training set.

    Args:
        kind: ``random``, ``grouped`` or ``published``.
        ids: Ids of the presets.
        values: Inferred parameters, in [0, 1].
        mel: Log-mel spectrograms.
        folds: Number of folds.
        seed: Seed of the benchmark.
        banks: Banks of the presets, which are the partitions of a ``published`` split.
        same_parameters: Mean absolute difference within which two presets are near-duplicates.

    Returns:
        Split table (fold, id, part, group), and leak table (split, fold, kind, within, items, leaked, share).

    Raises:
        ValueError: If `kind` is unknown, a published split is incomplete, or there are too few presets.
    """
    pairs = {
        "parameters": close_parameters(values, max(*REPORTED["parameters"], same_parameters)),
        "sound": close_sounds(mel, max(*REPORTED["sound"], SAME_SOUND)),
    }
    group = np.arange(len(ids))
    if kind == "grouped":
        group = connected_groups(
            len(ids), pairs["parameters"].within(same_parameters), pairs["sound"].within(SAME_SOUND)
        )
    elif kind == "published":
        if set(banks) != set(PARTS) or folds != 1:
            raise ValueError(f"split published: got {folds} folds, banks {sorted(set(banks))}; expected 1, {PARTS}")
    elif kind != "random":
        raise ValueError(f"split: got {kind!r}, expected random, grouped or published")
    parts, leaks = [], []
    for fold in range(folds):
        part = list(banks) if kind == "published" else assign_parts(ids, group, seed, fold)
        parts.append(pd.DataFrame({"fold": fold, "id": ids, "part": part, "group": group}))
        for measure, radii in REPORTED.items():
            for within in radii:
                leaked = count_leaks(np.array(part), pairs[measure].within(within))
                items = part.count("test")
                leaks.append((kind, fold, measure, within, items, leaked, leaked / items))
    columns = ["split", "fold", "kind", "within", "items", "leaked", "share"]
    return pd.concat(parts, ignore_index=True), pd.DataFrame(leaks, columns=columns)


def count_leaks(part: np.ndarray, pairs: ClosePairs) -> int:
    """Count the test items that are close to any training item."""
    first, second = part[pairs.first], part[pairs.second]
    leaked = np.concatenate(
        [
            pairs.first[(first == "test") & (second == "train")],
            pairs.second[(second == "test") & (first == "train")],
        ]
    )
    return len(np.unique(leaked))
