"""Files of many items (audio, features, predictions): HDF5 that is written whole, checked when read, and names its maker.

Every file has the datasets ``id`` (text) and ``values`` (items x parameters) and one payload whose first axis is the
items; one item is one chunk. No date is written, so the same content is the same file to the byte.
"""

import hashlib
import json
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from flowsynth.core.provenance import maker, replacing, write_text

TEXT = h5py.string_dtype()


@contextmanager
def writing(
    path: Path, ids: Iterable[str], values: np.ndarray, names: Iterable[str], settings: Mapping[str, object]
) -> Iterator[h5py.File]:
    """Open a new file for its payload; it appears under its name, with a checksum beside it, when the block ends well.

    Args:
        path: Of the file; ``PATH.sha256`` is written too.
        ids: Of the items.
        values: One row an item.
        names: Of the columns of `values`.
        settings: What the payload depends on; kept in the file with the versions and the commit.
    """
    ids = list(ids)
    if len(ids) != len(values):
        raise ValueError(f"{path}: {len(ids)} ids for {len(values)} rows of values")
    with replacing(path) as temporary:
        with h5py.File(temporary, "w", locking=False) as file:
            file.create_dataset("id", data=np.array(ids, dtype=object), dtype=TEXT, shape=(len(ids),))
            file.create_dataset("values", data=np.asarray(values, dtype=np.float32))
            file.attrs["names"] = json.dumps(list(names))
            file.attrs["maker"] = json.dumps(maker(**settings), sort_keys=True)
            yield file
        write_text(checksum_path(path), f"{_sha256(temporary)}  {path.name}\n")


def add_items(file: h5py.File, name: str, shape: tuple[int, ...], dtype: object = np.float32) -> h5py.Dataset:
    """Add an empty dataset of one chunk an item to a file that is being written."""
    items = len(file["id"])
    chunks = (1, *shape) if items and shape else None
    return file.create_dataset(name, shape=(items, *shape), dtype=dtype, chunks=chunks)


@contextmanager
def reading(path: Path) -> Iterator[h5py.File]:
    """Open a file of items.

    Raises:
        ValueError: If it is truncated or not such a file; the message says to delete it and run again.
    """
    try:
        file = h5py.File(path, "r", locking=False)
    except (FileNotFoundError, PermissionError, BlockingIOError):
        raise
    except OSError as error:
        raise ValueError(f"{path} is truncated or not HDF5 ({error}): delete it and run again") from error
    with file:
        if "id" not in file or "maker" not in file.attrs:
            raise ValueError(f"{path} is not a file of items, it has no ids or no maker: delete it and run again")
        yield file


def read_items(paths: Sequence[Path], dataset: str, wanted: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Read a dataset of items by id, whichever file each item is in.

    Args:
        paths: Files of items.
        dataset: Name of the dataset, whose first axis is the items.
        wanted: Ids of the items; None for all. Those in none of the files are left out.

    Returns:
        Arrays by id, in the order of the files.
    """
    keep = None if wanted is None else set(wanted)
    items: dict[str, np.ndarray] = {}
    for path in paths:
        with reading(path) as file:
            items |= {name: file[dataset][row] for row, name in enumerate(ids(file)) if keep is None or name in keep}
    return items


def ids(file: h5py.File) -> np.ndarray:
    """Ids of the items in an open file."""
    return file["id"].asstr()[:]


def names(file: h5py.File) -> tuple[str, ...]:
    """Names of the columns of ``values`` in an open file."""
    return tuple(json.loads(file.attrs["names"]))


def settings(file: h5py.File) -> dict[str, Any]:
    """What made an open file."""
    return json.loads(file.attrs["maker"])


def checksum_path(path: Path) -> Path:
    """Where the checksum of a file stands."""
    return path.with_name(path.name + ".sha256")


def check(path: Path) -> None:
    """Compare a file with its checksum.

    Raises:
        ValueError: If they differ.
    """
    expected = checksum_path(path).read_text()
    found = _sha256(path)
    if expected.split()[:1] != [found]:
        raise ValueError(f"{path} is damaged: sha256 is {found}, expected {expected.strip()}. Delete it and run again")


def require_space(folder: Path, items: int, samples: int) -> None:
    """Stop before the audio of a data set is rendered to a disk that can't hold it.

    Args:
        folder: Where its shards go; what is there already is not counted again.
        items: Presets in all shards.
        samples: Length of a recording, float32.

    Raises:
        OSError: If it will not fit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    there = 0
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another job may just have renamed its temporary file
            there += path.stat().st_size
    needed, free = items * samples * 4 - there, shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(
            f"no space for the audio of {items} presets in {folder}: {needed / 2**20:,.0f} MiB needed, "
            f"{free / 2**20:,.0f} MiB free. Free some, or set a smaller number of presets in the budget"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
