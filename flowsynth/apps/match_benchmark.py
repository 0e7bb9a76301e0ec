"""How good `flowsynth.apps.match` is with sounds that the synthesizer did not make, against controls of the same means."""

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
from flowsynth.inference.trained_model import TrainedModel

COLUMNS = ["collection", "item", "model", *DISTANCES, "searched", "renderings"]


def measure(
    trained: TrainedModel, sounds: Sequence[Path], count: int, samples: int, renders: int, seed: int
) -> pd.DataFrame:
    """Match some sounds of each collection.

    Args:
        trained: The trained model.
        sounds: Files of audio, one a collection, in the order in which their sounds were drawn.
        count: Sounds of each.
        samples: Answers of the model that are rendered.
        renders: Renderings of the search behind them.
        seed: Of answers and searches.

    Returns:
        The columns of `COLUMNS`, one row a sound: the distances of `flowsynth.apps.match.Match`, and as searched that of a
        search from the nearest training preset, without the model, which takes as many renderings.
    """
    rows = []
    for path in sounds:
        with hdf5.reading(path) as file:
            chosen = list(zip(hdf5.ids(file)[:count].tolist(), file["audio"][:count], strict=True))
        for name, audio in track(chosen, len(chosen), f"matches {path.stem}"):
            found = match(trained, audio, name, samples, renders, seed)
            row = {"collection": path.stem, "item": name, "model": trained.checkpoint.parent.name}
            row |= {key: getattr(found, key) for key in DISTANCES}
            searched = _searched(trained, audio, name, found.renderings, seed)
            rows.append(row | {"searched": searched, "renderings": found.renderings})
    return pd.DataFrame(rows, columns=COLUMNS)


def _searched(trained: TrainedModel, audio: np.ndarray, name: str, renders: int, seed: int) -> float:
    goal = trained.log_mel(audio)
    (start,) = trained.predict(trained.nearest, goal, 1)
    return minimise(partial(trained.distance, goal), start, renders, derive_seed(seed, "search", name))[1]


def finding(table: pd.DataFrame) -> str:
    """Say how often the match is closer than the nearest training preset, and what that owes to the model."""

    def closer(first: str, second: str) -> int:
        return int((table[first] < table[second]).sum())

    (model,), renderings = table["model"].unique(), table["renderings"].max()
    return (
        f"With `{model}` and {renderings} renderings it comes closer than the nearest training preset to "
        f"{closer('distance', 'nearest')} of {len(table)} sounds; the best of the model's answers alone does to "
        f"{closer('answers', 'nearest')}. A search of as many renderings from that preset, without the model, is beaten on "
        f"{closer('distance', 'searched')} and wins on {closer('searched', 'distance')}.\n"
    )
