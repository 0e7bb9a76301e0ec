"""Items of one partition of one fold, read lazily from features files.

Items that fit in memory are cached. Otherwise they are read in blocks of neighbours, and an epoch is shuffled in two
steps: the order of the blocks, then the items within a window of as many blocks as fit in memory.

Each process opens a file when it first reads from it, so that a data set can be pickled to worker processes: an open
HDF5 file can neither be pickled nor survive a fork.
"""

import hashlib
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

from flowsynth.core import hdf5, integrity
from flowsynth.core.readers import read_csv

EXCLUDED = ("silent", "failed")  # status of items without a usable sound; they are in no partition
BLOCK = 64  # neighbouring items read together if the items do not all fit in memory
WINDOW = 20_000  # maximum number of items in memory


class Batch(NamedTuple):
    """Sounds and the parameters that produced them.

    Attributes:
        mel: Log-mel spectrograms, not standardised.
        values: The inferred parameters, in [0, 1].
    """

    mel: Float[Tensor, "items mels frames"]
    values: Float[Tensor, "items parameters"]


class Items(Dataset):
    """Items of a data set, selected by id.

    Args:
        paths: Features files.
        ids: Ids of the items, in output order.
        names: Names of the inferred parameters.
        window: Maximum number of items in memory.

    Attributes:
        shape: Numbers of mel bands and frames of a spectrogram.
        settings: Provenance and settings of the features files.

    Raises:
        KeyError: If an id is in none of the files.
        ValueError: If a file lacks a parameter or is truncated.
    """

    def __init__(self, paths: Sequence[Path], ids: Sequence[str], names: tuple[str, ...], window: int = WINDOW):
        self.paths, self.ids, self.names = list(paths), list(ids), names
        location = {}
        self._columns: list[list[int]] = []
        for number, path in enumerate(self.paths):
            with hdf5.reading(path) as file:
                location.update({i: (number, row) for row, i in enumerate(hdf5.ids(file))})
                columns = {name: column for column, name in enumerate(hdf5.names(file))}
                self.shape, self.settings = file["mel"].shape[1:], hdf5.settings(file)
            missing_names = [name for name in names if name not in columns]
            if missing_names:
                raise ValueError(f"{path}: got the parameters {list(columns)}, expected also {missing_names}")
            self._columns.append([columns[name] for name in names])
        missing = [i for i in self.ids if i not in location]
        if missing:
            raise KeyError(f"{len(missing)} items, such as {missing[0]}, are in none of {self.paths}")
        self._location = np.array([location[i] for i in self.ids]).reshape(-1, 2)  # file number, row
        self.window = window
        self._files: dict[tuple[int, int], h5py.File] = {}  # by process id and file number
        self._cache: Batch | None = None
        self._blocks: dict[int, Batch] = {}  # by block number, oldest first

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read the log-mel spectrogram and the inferred parameters of one item."""
        mel, values = self._read([index])
        return mel[0].numpy(), values[0].numpy()

    def __getstate__(self) -> dict:
        """Drop open files and cached items when pickled."""
        return {**self.__dict__, "_files": {}, "_cache": None, "_blocks": {}}

    def __getitems__(self, rows: list[int]) -> Batch:
        """Read a batch of items; PyTorch's data loader calls this."""
        if self.fits_in_memory():
            items = self.all()
            return Batch(items.mel[rows], items.values[rows])
        blocks = [self._block(row // BLOCK) for row in rows]
        offsets = [row % BLOCK for row in rows]
        mel = [block.mel[offset] for block, offset in zip(blocks, offsets, strict=True)]
        values = [block.values[offset] for block, offset in zip(blocks, offsets, strict=True)]
        return Batch(torch.stack(mel), torch.stack(values))

    def all(self) -> Batch:
        """Read and cache all items, however many there are."""
        if self._cache is None:
            self._cache = self._read(range(len(self)))
        return self._cache

    def head(self) -> Batch:
        """Read the first items, as many as fit in memory; human-designed presets precede synthetic ones."""
        return self.all() if self.fits_in_memory() else self._read(range(self.window))

    def order(self, generator: torch.Generator) -> list[int]:
        """Draw a random order of all items; it is uniform over all permutations if the items fit in memory."""
        if self.fits_in_memory():
            return torch.randperm(len(self), generator=generator).tolist()
        rows: list[int] = []
        for blocks in torch.randperm(-(-len(self) // BLOCK), generator=generator).split(self._max_blocks):
            window = (blocks[:, None] * BLOCK + torch.arange(BLOCK)).flatten()
            window = window[window < len(self)]
            rows += window[torch.randperm(len(window), generator=generator)].tolist()
        return rows

    def fingerprint(self) -> str:
        """Hash everything an epoch depends on: ids, parameter names, content of the files, and the window."""
        digest = hashlib.sha256("\n".join([*self.ids, *self.names, str(self.window)]).encode())
        for path in self.paths:
            digest.update(integrity.sha256(path).encode())
        return digest.hexdigest()

    def fits_in_memory(self) -> bool:
        """Tell whether all items are cached or fit in the window."""
        return self._cache is not None or len(self) <= self.window

    @property
    def _max_blocks(self) -> int:
        return max(1, self.window // BLOCK)

    def _block(self, number: int) -> Batch:
        """Return a block, from the cache if possible; a full cache drops its oldest block."""
        if number not in self._blocks:
            if len(self._blocks) >= self._max_blocks:
                del self._blocks[next(iter(self._blocks))]
            start = number * BLOCK
            self._blocks[number] = self._read(range(start, min(start + BLOCK, len(self))))
        return self._blocks[number]

    def _read(self, rows: Sequence[int]) -> Batch:
        """Read items from their files, neighbours in one read."""
        mel = torch.empty(len(rows), *self.shape)
        values = torch.empty(len(rows), len(self.names))
        locations = self._location[list(rows)]
        # one read for items that follow each other in a file with at most two others in between
        breaks = (np.diff(locations[:, 0]) != 0) | ~np.isin(np.diff(locations[:, 1]), (1, 2, 3))
        ends = np.flatnonzero(breaks) + 1
        for start, end in pairwise([0, *ends, len(rows)]):
            number, first = locations[start].tolist()
            file, offsets = self._file(number), locations[start:end, 1] - first
            span = slice(first, locations[end - 1, 1] + 1)
            mel[start:end] = torch.from_numpy(file["mel"][span][offsets])
            values[start:end] = torch.from_numpy(file["values"][span][offsets][:, self._columns[number]])
        return Batch(mel, values)

    def _file(self, number: int) -> h5py.File:
        key = os.getpid(), number
        if key not in self._files:
            self._files[key] = hdf5.open_hdf5(self.paths[number])
        return self._files[key]


def usable_ids(paths: Sequence[Path]) -> list[str]:
    """List the ids of the items with a usable sound, in file order."""
    ids: list[str] = []
    for path in paths:
        with hdf5.reading(path) as file:
            usable = ~np.isin(file["status"].asstr()[:], EXCLUDED)
            ids.extend(hdf5.ids(file)[usable].tolist())
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
    """Select the items of one partition of one fold.

    Args:
        split: CSV file of a table made by `flowsynth.data.splits.split`.
        fold: Number of the fold.
        name: ``train``, ``valid`` or ``test``.
        paths: Features files.
        names: Names of the inferred parameters.
        sampled: Features files of synthetic presets for this partition (`flowsynth.data.augmentation`), appended last.
        window: Maximum number of items in memory.

    Raises:
        ValueError: If the partition is empty.
    """
    table = read_csv(split, columns=("id", "fold", "part"), dtype={"id": str})
    ids = table.loc[(table["fold"] == fold) & (table["part"] == name), "id"].tolist()
    if not ids:
        raise ValueError(f"{split} has no {name} part in fold {fold}")
    return Items([*paths, *sampled], [*ids, *usable_ids(sampled)], names, window)
