"""The items of one part of one fold, read from files of features when they are asked for.

A file is opened by the process that reads from it, at the first item it reads, so that a data set can be handed to worker
processes whole: an open HDF5 file can neither be copied to another process nor survive a fork.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

from flowsynth import store

EXCLUDED = ("silent", "failed")  # status of items that no part holds: there is nothing to hear


class Batch(NamedTuple):
    """Sounds and the parameters they were made with.

    Attributes:
        mel: Log-mel spectrograms as measured, not standardised.
        values: The inferred parameters, in [0, 1].
    """

    mel: Float[Tensor, "items mels frames"]
    values: Float[Tensor, "items parameters"]


class Items(Dataset):
    """Items of a data set by their ids.

    Args:
        paths: Files of features that hold them.
        ids: Of the items, in the order wanted.
        names: Of the inferred parameters.

    Raises:
        KeyError: If an id is in none of the files.
        ValueError: If a file has not all of the parameters, or is truncated.
    """

    def __init__(self, paths: Sequence[Path], ids: Sequence[str], names: tuple[str, ...]):
        self.paths, self.ids, self.names = list(paths), list(ids), names
        place = {}
        self._columns: list[list[int]] = []
        for number, path in enumerate(self.paths):
            with store.reading(path) as file:
                place.update({i: (number, row) for row, i in enumerate(store.ids(file))})
                columns = {name: column for column, name in enumerate(store.names(file))}
                self.shape = file["mel"].shape[1:]
            absent = [name for name in names if name not in columns]
            if absent:
                raise ValueError(f"{path} has the parameters {list(columns)}, expected also {absent}")
            self._columns.append([columns[name] for name in names])
        missing = [i for i in self.ids if i not in place]
        if missing:
            raise KeyError(f"{len(missing)} items, the first of them {missing[0]}, are in none of {self.paths}")
        self._place = [place[i] for i in self.ids]
        self._files: dict[tuple[int, int], h5py.File] = {}  # by process and number
        self._held: Batch | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read the log-mel spectrogram and the inferred parameters of one item."""
        number, row = self._place[index]
        key = os.getpid(), number
        if key not in self._files:
            self._files[key] = h5py.File(self.paths[number], "r")
        file = self._files[key]
        return file["mel"][row], file["values"][row][self._columns[number]]

    def __getstate__(self) -> dict:
        """Leave open files, and what is in memory, behind when another process takes this over."""
        return {**self.__dict__, "_files": {}, "_held": None}

    def __getitems__(self, rows: list[int]) -> Batch:
        """Read several items at once; a loader asks for a batch by this."""
        if self._held is not None:
            return Batch(self._held.mel[rows], self._held.values[rows])
        mel, values = zip(*(self[row] for row in rows), strict=True)
        return Batch(torch.from_numpy(np.stack(mel)), torch.from_numpy(np.stack(values)))

    def all(self) -> Batch:
        """Read all items and keep them in memory: from now on they are taken from there."""
        if self._held is None:
            self._held = self.__getitems__(list(range(len(self))))
        return self._held


def as_is(batch: Any) -> Any:
    """What a loader does with the items of a batch, which come as one already."""
    return batch


def usable(paths: Sequence[Path]) -> list[str]:
    """Ids of the items that can be heard, in the files' order."""
    ids: list[str] = []
    for path in paths:
        with store.reading(path) as file:
            heard = ~np.isin(file["status"].asstr()[:], EXCLUDED)
            ids.extend(store.ids(file)[heard].tolist())
    return ids


def part(split: Path, fold: int, name: str, paths: Sequence[Path], names: tuple[str, ...]) -> Items:
    """Items of one part of one fold.

    Args:
        split: Table made by `flowsynth.split.split`.
        fold: Number of the fold.
        name: ``train``, ``valid`` or ``test``.
        paths: Files of features.
        names: Of the inferred parameters.
    """
    table = pd.read_csv(split, dtype={"id": str})
    ids = table.loc[(table["fold"] == fold) & (table["part"] == name), "id"].tolist()
    if not ids:
        raise ValueError(f"{split} has no {name} part in fold {fold}")
    return Items(paths, ids, names)
