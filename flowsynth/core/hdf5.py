"""Item files (audio, features, predictions): HDF5, written atomically, with provenance.

Every file has the datasets ``id`` (text), ``values`` (items x parameters) and a payload whose first axis is the items,
with one chunk per item. No dates are stored: files of the same content are bit-identical.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from flowsynth.core import integrity
from flowsynth.core.hdf5_output import NewHDF5
from flowsynth.core.provenance import atomic_write, maker

TEXT = h5py.string_dtype()
SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextmanager
def writing(
    path: Path, ids: Iterable[str], values: np.ndarray, names: Iterable[str], settings: Mapping[str, object]
) -> Iterator[h5py.File]:
    """Create an item file; it appears under its name when the block succeeds.

    Args:
        path: Output file.
        ids: Item ids.
        values: Parameter values, one row per item.
        names: Column names of `values`.
        settings: Settings that the payload depends on, stored with the versions and the commit.

    Raises:
        OSError: If the disk is full, or has no space for a dataset that is added.
        ValueError: If the numbers of ids and rows differ.
    """
    ids = list(ids)
    if len(ids) != len(values):
        raise ValueError(f"{path}: {len(ids)} ids for {len(values)} rows of values")
    with atomic_write(path) as temporary, NewHDF5(temporary, path) as file:
        file.create_dataset("id", data=np.array(ids, dtype=object), dtype=TEXT, shape=(len(ids),))
        file.create_dataset("values", data=np.asarray(values, dtype=np.float32))
        file.attrs["names"] = json.dumps(list(names))
        file.attrs["maker"] = json.dumps(maker(**settings), sort_keys=True)
        yield file


def add_items(file: h5py.File, name: str, shape: tuple[int, ...], dtype: object = np.float32) -> h5py.Dataset:
    """Add an empty dataset, one chunk per item, to a file that is being written."""
    items = len(file["id"])
    chunks = (1, *shape) if items and shape else None
    return file.create_dataset(name, shape=(items, *shape), dtype=dtype, chunks=chunks)


@contextmanager
def reading(path: Path) -> Iterator[h5py.File]:
    """Open an item file for reading, verified against its checksum if it has one.

    Raises:
        ValueError: If it is damaged or not an item file.
    """
    integrity.verify(path)
    with open_hdf5(path) as file:
        if "id" not in file or "maker" not in file.attrs:
            raise ValueError(f"{path} is not an item file, ids or maker are missing: {integrity.remedy(path)}")
        yield file


def open_hdf5(path: Path) -> h5py.File:
    """Open a file for reading, without a lock, which not every file system has.

    Raises:
        ValueError: If it is truncated or not HDF5.
        OSError: If the system can't open or read it.
    """
    with path.open("rb") as file:  # so that a missing or unreadable file is named by Python, with the cause
        signature = file.read(len(SIGNATURE))
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        if signature == SIGNATURE and "truncated" not in str(error):
            raise OSError(f"{path} can't be opened: {error}") from error
        raise ValueError(f"{path} is truncated or not HDF5 ({error}): {integrity.remedy(path)}") from error


def read_items(paths: Sequence[Path], dataset: str, selection: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Read a dataset by item id from several files.

    Args:
        paths: Item files.
        dataset: Name of a dataset whose first axis is the items.
        selection: Item ids, None for all; ids in none of the files are skipped.

    Returns:
        Arrays by id, in the order of the files.
    """
    selected = None if selection is None else set(selection)
    items: dict[str, np.ndarray] = {}
    for path in paths:
        with reading(path) as file:
            rows = [(row, name) for row, name in enumerate(ids(file)) if selected is None or name in selected]
            items |= {name: file[dataset][row] for row, name in rows}
    return items


def ids(file: h5py.File) -> np.ndarray:
    """Return the item ids of an open file."""
    return file["id"].asstr()[:]


def names(file: h5py.File) -> tuple[str, ...]:
    """Return the column names of ``values`` in an open file."""
    return tuple(json.loads(file.attrs["names"]))


def settings(file: h5py.File) -> dict[str, Any]:
    """Return the provenance and settings of an open file."""
    return json.loads(file.attrs["maker"])
