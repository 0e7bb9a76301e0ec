"""Benchmark of `flowsynth.apps.match` on out-of-domain sounds, against controls with the same number of renderings."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from flowsynth.apps.match import DISTANCES, match
from flowsynth.core import hdf5
from flowsynth.core.progress import track
from flowsynth.core.seeding import derive_seed
from flowsynth.inference.cma_es import minimise
from flowsynth.inference.trained_model import PlayableModel

BENCHMARK_COLUMNS = ["collection", "item", "model", *DISTANCES, "searched", "renderings"]


def measure(
    trained: PlayableModel, sounds: Sequence[Path], count: int, samples: int, renders: int, seed: int
) -> pd.DataFrame:
    """Match the first sounds of each collection.

    Args:
        trained: Trained model.
        sounds: Audio files, one per collection, in the order in which their sounds were drawn.
        count: Number of sounds per collection.
        samples: Number of predictions to render.
        renders: Number of renderings of the subsequent search.
        seed: Seed of predictions and searches.

    Returns:
        `BENCHMARK_COLUMNS`, one row per sound: the distances of `flowsynth.apps.match.Match`, and ``searched``, the
        distance of a search from the nearest training preset, without the model and with the same number of renderings.
    """
    rows = []
    for path in sounds:
        with hdf5.reading(path) as file:
            targets = list(zip(hdf5.ids(file)[:count].tolist(), file["audio"][:count], strict=True))
        for name, audio in track(targets, len(targets), f"matches {path.stem}"):
            result = match(trained, audio, name, samples, renders, seed)
            row = {"collection": path.stem, "item": name, "model": trained.name}
            row |= {key: getattr(result, key) for key in DISTANCES}
            searched = _search_from_nearest(trained, audio, name, result.renderings, seed)
            rows.append(row | {"searched": searched, "renderings": result.renderings})
    return pd.DataFrame(rows, columns=BENCHMARK_COLUMNS)


def _search_from_nearest(trained: PlayableModel, audio: np.ndarray, name: str, renders: int, seed: int) -> float:
    target = trained.log_mel(audio)
    start = trained.nearest(target)
    return minimise(partial(trained.distance, target), start, renders, derive_seed(seed, "search", name))[1]


def finding(table: pd.DataFrame) -> str:
    """Summarise how often the match is closer than the nearest training preset, and than a search without the model."""

    def closer(first: str, second: str) -> int:
        return int((table[first] < table[second]).sum())

    (model,), renderings = table["model"].unique(), table["renderings"].max()
    return (
        f"With `{model}` and {renderings} renderings the match is closer than the nearest training preset for "
        f"{closer('distance', 'nearest')} of {len(table)} sounds; the best of the model's predictions alone is closer "
        f"for {closer('answers', 'nearest')}. The match is closer than a search from that preset with as many "
        f"renderings and without the model for {closer('distance', 'searched')}, and farther for "
        f"{closer('searched', 'distance')}.\n"
    )
