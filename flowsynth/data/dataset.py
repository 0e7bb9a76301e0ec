"""The items of one part of one fold, read from files of features when they are asked for.

Where they fit in memory they are kept there. Where they don't, they are read in blocks of neighbours, and the order of an
epoch is random in two steps: of blocks, and of the items in a window of as many blocks as memory holds.

A file is opened by the process that reads from it, at the first item it reads, so that a data set can be handed to worker
processes whole: an open HDF5 file can neither be copied to another process nor survive a fork.
"""

import hashlib
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

from flowsynth.core import hdf5

EXCLUDED = ("silent", "failed")  # status of items that no part holds: there is nothing to hear
BLOCK = 64  # neighbours that are read together where the items don't all fit in memory
WINDOW = 20_000  # items held in memory


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
        window: Items that memory may hold.

    Raises:
        KeyError: If an id is in none of the files.
        ValueError: If a file has not all of the parameters, or is truncated.
    """

    def __init__(self, paths: Sequence[Path], ids: Sequence[str], names: tuple[str, ...], window: int = WINDOW):
        self.paths, self.ids, self.names = list(paths), list(ids), names
        place = {}
        self._columns: list[list[int]] = []
        for number, path in enumerate(self.paths):
            with hdf5.reading(path) as file:
                place.update({i: (number, row) for row, i in enumerate(hdf5.ids(file))})
                columns = {name: column for column, name in enumerate(hdf5.names(file))}
                self.shape = file["mel"].shape[1:]
            absent = [name for name in names if name not in columns]
            if absent:
                raise ValueError(f"{path} has the parameters {list(columns)}, expected also {absent}")
            self._columns.append([columns[name] for name in names])
        missing = [i for i in self.ids if i not in place]
        if missing:
            raise KeyError(f"{len(missing)} items, the first of them {missing[0]}, are in none of {self.paths}")
        self._place = np.array([place[i] for i in self.ids]).reshape(-1, 2)  # number of the file, row
        self.window = window
        self._files: dict[tuple[int, int], h5py.File] = {}  # by process and number
        self._held: Batch | None = None
        self._blocks: dict[int, Batch] = {}  # by number, in the order in which they were read

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read the log-mel spectrogram and the inferred parameters of one item."""
        mel, values = self._read([index])
        return mel[0].numpy(), values[0].numpy()

    def __getstate__(self) -> dict:
        """Leave open files, and what is in memory, behind when another process takes this over."""
        return {**self.__dict__, "_files": {}, "_held": None, "_blocks": {}}

    def __getitems__(self, rows: list[int]) -> Batch:
        """Give several items at once; a loader asks for a batch by this."""
        if self.fit():
            held = self.all()
            return Batch(held.mel[rows], held.values[rows])
        blocks = [self._block(row // BLOCK) for row in rows]
        places = [row % BLOCK for row in rows]
        mel = [block.mel[place] for block, place in zip(blocks, places, strict=True)]
        values = [block.values[place] for block, place in zip(blocks, places, strict=True)]
        return Batch(torch.stack(mel), torch.stack(values))

    def all(self) -> Batch:
        """Read all items and keep them in memory, however many there are."""
        if self._held is None:
            self._held = self._read(range(len(self)))
        return self._held

    def some(self) -> Batch:
        """Give the first items, as many as memory may hold: of a training part, those that people made come first."""
        return self.all() if self.fit() else self._read(range(self.window))

    def order(self, generator: torch.Generator) -> list[int]:
        """Draw an order to read all items in; any is as likely as any other where they fit in memory."""
        if self.fit():
            return torch.randperm(len(self), generator=generator).tolist()
        rows: list[int] = []
        for blocks in torch.randperm(-(-len(self) // BLOCK), generator=generator).split(self._blocks_held):
            inside = (blocks[:, None] * BLOCK + torch.arange(BLOCK)).flatten()
            inside = inside[inside < len(self)]
            rows += inside[torch.randperm(len(inside), generator=generator)].tolist()
        return rows

    def fingerprint(self) -> str:
        """Name what an epoch depends on: ids, names of parameters, files by their checksums, and the window."""
        digest = hashlib.sha256("\n".join([*self.ids, *self.names, str(self.window)]).encode())
        for path in self.paths:
            digest.update(hdf5.checksum_path(path).read_bytes())
        return digest.hexdigest()

    def fit(self) -> bool:
        """Whether memory may hold all items."""
        return self._held is not None or len(self) <= self.window

    @property
    def _blocks_held(self) -> int:
        return max(1, self.window // BLOCK)

    def _block(self, number: int) -> Batch:
        """Give a block, from memory if it is there; the one that was read first makes room for it."""
        if number not in self._blocks:
            if len(self._blocks) >= self._blocks_held:
                del self._blocks[next(iter(self._blocks))]
            start = number * BLOCK
            self._blocks[number] = self._read(range(start, min(start + BLOCK, len(self))))
        return self._blocks[number]

    def _read(self, rows: Sequence[int]) -> Batch:
        """Read items from their files, neighbours together."""
        mel = torch.empty(len(rows), *self.shape)
        values = torch.empty(len(rows), len(self.names))
        places = self._place[list(rows)]
        # items that follow each other in a file, with few others between them
        apart = (np.diff(places[:, 0]) != 0) | ~np.isin(np.diff(places[:, 1]), (1, 2, 3))
        ends = np.flatnonzero(apart) + 1
        for start, end in pairwise([0, *ends, len(rows)]):
            number, first = places[start].tolist()
            file, inside = self._file(number), places[start:end, 1] - first
            span = slice(first, places[end - 1, 1] + 1)
            mel[start:end] = torch.from_numpy(file["mel"][span][inside])
            values[start:end] = torch.from_numpy(file["values"][span][inside][:, self._columns[number]])
        return Batch(mel, values)

    def _file(self, number: int) -> h5py.File:
        key = os.getpid(), number
        if key not in self._files:
            self._files[key] = h5py.File(self.paths[number], "r", locking=False)
        return self._files[key]


def as_is(batch: Any) -> Any:
    """What a loader does with the items of a batch, which come as one already."""
    return batch


def usable(paths: Sequence[Path]) -> list[str]:
    """Ids of the items that can be heard, in the files' order."""
    ids: list[str] = []
    for path in paths:
        with hdf5.reading(path) as file:
            heard = ~np.isin(file["status"].asstr()[:], EXCLUDED)
            ids.extend(hdf5.ids(file)[heard].tolist())
    return ids


def part(
    split: Path,
    fold: int,
    name: str,
    paths: Sequence[Path],
    names: tuple[str, ...],
    sampled: Sequence[Path] = (),
    window: int = WINDOW,
) -> Items:
    """Items of one part of one fold.

    Args:
        split: Table made by `flowsynth.data.splits.split`.
        fold: Number of the fold.
        name: ``train``, ``valid`` or ``test``.
        paths: Files of features.
        names: Of the inferred parameters.
        sampled: Files of features of presets that were drawn for this part (`flowsynth.data.augmentation`); they come last.
        window: Items that memory may hold.
    """
    table = pd.read_csv(split, dtype={"id": str})
    ids = table.loc[(table["fold"] == fold) & (table["part"] == name), "id"].tolist()
    if not ids:
        raise ValueError(f"{split} has no {name} part in fold {fold}")
    return Items([*paths, *sampled], [*ids, *usable(sampled)], names, window)
