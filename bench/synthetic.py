"""Files of random features."""

from pathlib import Path

import numpy as np

from flowsynth.core import hdf5
from flowsynth.synths.parameter_space import ParameterSpace

NAMES = tuple(f"p{i}" for i in range(16))
SPACE = ParameterSpace.continuous(NAMES)
SHAPE = (64, 80)


def write(path: Path, items: int) -> list[str]:
    """Write random features of a number of items and return their ids."""
    rng = np.random.default_rng(0)
    ids = [f"{i:x}" for i in range(items)]
    values = rng.random((items, len(NAMES)), dtype=np.float32)
    with hdf5.writing(path, ids, values, NAMES, {}) as file:
        mel = hdf5.add_items(file, "mel", SHAPE)
        for start in range(0, items, 1000):
            rows = slice(start, min(start + 1000, items))
            mel[rows] = rng.standard_normal((rows.stop - rows.start, *SHAPE), dtype=np.float32)
        hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = ["ok"] * items
    return ids
