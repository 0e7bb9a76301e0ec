"""Presets to train, valid and test, by what they are and never by their order.

Each preset (or group of near-duplicates) has for each fold a number of its own, drawn by a hash of its identity, the seed
and the fold. In the order of these numbers they fill the test part, then the valid part, and the rest is for training.

``random`` deals presets one by one, as the paper does, anew for each fold. ``grouped`` keeps near-duplicates together:
presets whose parameters or whose sounds are close, and all that hang together by such pairs. A group so large that it
would make up a quarter of the test part stays in training. ``published`` deals nothing: data that come with a split keep it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import radius_neighbors_graph

from flowsynth.core.seeding import uniform_by_id

HELD_OUT = 0.1  # share of the presets in the test part, and in the valid part
SAME_PARAMETERS = 0.05  # mean absolute difference within which two presets are near-duplicates
SAME_SOUND = 0.05  # log-mel L1 within which two sounds are near-duplicates
PARTS = ("train", "valid", "test")
LARGE = 0.25  # of the test part: a larger group stays in training
REPORTED = {"parameters": (0.01, 0.05), "sound": (0.05, 0.2)}  # distances within which leaks are counted
POOL = 8  # the side of the blurred spectrogram that finds candidates


@dataclass(frozen=True)
class Pairs:
    """Pairs of items that are close: positions `first` < `second`, and their `distance`."""

    first: np.ndarray
    second: np.ndarray
    distance: np.ndarray

    def within(self, radius: float) -> "Pairs":
        """Only the pairs that are at most so far apart."""
        near = self.distance <= radius
        return Pairs(self.first[near], self.second[near], self.distance[near])


def close_parameters(values: Float[np.ndarray, "items parameters"], radius: float) -> Pairs:
    """Find all pairs of presets within a mean absolute difference of `radius`."""
    width = values.shape[1]
    graph = radius_neighbors_graph(values, radius * width, mode="distance", metric="manhattan").tocoo()
    upper = graph.row < graph.col
    return Pairs(graph.row[upper], graph.col[upper], graph.data[upper] / width)


def close_sounds(mel: Float[np.ndarray, "items mels frames"], radius: float) -> Pairs:
    """Find all pairs of sounds within a log-mel L1 of `radius`.

    The mean over a tile changes by no more than the tile does, so that pairs which are far apart when both are blurred
    to a few tiles need no closer look; the others are measured in full.
    """
    items, mels, frames = mel.shape
    tiles = mel[:, : mels - mels % POOL, : frames - frames % POOL]
    tiles = tiles.reshape(items, POOL, mels // POOL, POOL, frames // POOL).mean(axis=(2, 4)).reshape(items, -1)
    share = (mels - mels % POOL) * (frames - frames % POOL) / (mels * frames)
    rough = close_parameters(tiles, radius / share * (1 + 1e-5))
    distance = np.empty(len(rough.first), dtype=np.float32)
    for start in range(0, len(distance), 1000):
        part = slice(start, start + 1000)
        distance[part] = np.abs(mel[rough.first[part]] - mel[rough.second[part]]).mean(axis=(1, 2))
    return Pairs(rough.first, rough.second, distance).within(radius)


def groups(items: int, *pairs: Pairs) -> Int[np.ndarray, " items"]:
    """Number the groups that hang together by pairs; an item without a pair is a group of its own."""
    first = np.concatenate([p.first for p in pairs])
    second = np.concatenate([p.second for p in pairs])
    graph = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(items, items))
    return connected_components(graph, directed=False)[1]


def deal(ids: list[str], group: Int[np.ndarray, " items"], seed: int, fold: int) -> list[str]:
    """Deal presets to the parts of one fold.

    Args:
        ids: Of the presets.
        group: Of each; members of a group go to the same part.
        seed: Of the benchmark.
        fold: Number of the fold.

    Returns:
        ``train``, ``valid`` or ``test`` for each preset.

    Raises:
        ValueError: If there are too few presets to fill all three parts.
    """
    members = pd.Series(range(len(ids))).groupby(group).indices
    names = {min(ids[i] for i in rows): rows for rows in members.values()}
    drawn = sorted(zip(uniform_by_id(names, seed, "fold", fold), names, strict=True))
    target = round(HELD_OUT * len(ids))
    parts = np.full(len(ids), "train", dtype=object)
    filled = {"test": 0, "valid": 0}
    for _, name in drawn:
        rows = names[name]
        if len(rows) > max(1, LARGE * target):
            continue
        for part, count in filled.items():
            if count + len(rows) <= target:
                parts[rows] = part
                filled[part] += len(rows)
                break
    if not all(filled.values()):
        raise ValueError(f"{len(ids)} presets in {len(names)} groups are too few for train, valid and test")
    return parts.tolist()


def split(
    kind: str,
    ids: list[str],
    values: Float[np.ndarray, "items parameters"],
    mel: Float[np.ndarray, "items mels frames"],
    folds: int,
    seed: int,
    banks: Sequence[str] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split presets into folds, and count the test items that have a near-duplicate in training.

    Args:
        kind: ``random``, ``grouped`` or ``published``.
        ids: Of the presets.
        values: The inferred parameters, in [0, 1].
        mel: Log-mel spectrograms.
        folds: How many times to split.
        seed: Of the benchmark.
        banks: Of the presets, which are the parts of ``published``.

    Returns:
        The split (fold, id, part, group), and the leaks (split, fold, kind, within, items, leaked, share).
    """
    found = {
        "parameters": close_parameters(values, max(*REPORTED["parameters"], SAME_PARAMETERS)),
        "sound": close_sounds(mel, max(*REPORTED["sound"], SAME_SOUND)),
    }
    group = np.arange(len(ids))
    if kind == "grouped":
        group = groups(len(ids), found["parameters"].within(SAME_PARAMETERS), found["sound"].within(SAME_SOUND))
    elif kind == "published":
        if set(banks) != set(PARTS) or folds != 1:
            raise ValueError(f"split published: got {folds} folds, banks {sorted(set(banks))}; expected 1, {PARTS}")
    elif kind != "random":
        raise ValueError(f"split: got {kind!r}, expected random, grouped or published")
    parts, leaks = [], []
    for fold in range(folds):
        part = list(banks) if kind == "published" else deal(ids, group, seed, fold)
        parts.append(pd.DataFrame({"fold": fold, "id": ids, "part": part, "group": group}))
        for measure, distances in REPORTED.items():
            for within in distances:
                leaked = count_leaks(np.array(part), found[measure].within(within))
                items = part.count("test")
                leaks.append((kind, fold, measure, within, items, leaked, leaked / items))
    columns = ["split", "fold", "kind", "within", "items", "leaked", "share"]
    return pd.concat(parts, ignore_index=True), pd.DataFrame(leaks, columns=columns)


def count_leaks(part: np.ndarray, pairs: Pairs) -> int:
    """Count the test items that form a pair with a training item."""
    first, second = part[pairs.first], part[pairs.second]
    leaked = np.concatenate(
        [
            pairs.first[(first == "test") & (second == "train")],
            pairs.second[(second == "test") & (first == "train")],
        ]
    )
    return len(np.unique(leaked))
