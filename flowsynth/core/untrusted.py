"""Checks of files that others made: what they claim is bounded by their size, and their paths lead nowhere else.

Nothing in such a file is run. The checks come before anything of the size that a file claims is allocated.
"""

import math
from pathlib import Path, PurePosixPath

import h5py

from flowsynth.core.hdf5 import open_hdf5

HEADER_SIZE = 2**17  # bytes of the first line of a table: several times as many columns as a synthesizer has parameters
TEXT_SIZE = 2**24  # bytes of a list or description that is read as a whole
TEXT_ROWS = 64  # texts read at a time: they may share memory in the file


def path_inside(folder: Path, name: str, source: Path) -> Path:
    """Return the path of a file in a folder by its relative name.

    Args:
        folder: Folder; it may be a link itself.
        name: Name with slashes.
        source: File that has the name, for the message.

    Raises:
        ValueError: If the name leads out of the folder, or the file or a folder in between is a link.

    >>> path_inside(Path("data"), "audio/0.h5", Path("data/SHA256SUMS")).as_posix()
    'data/audio/0.h5'
    """
    parts = PurePosixPath(name).parts
    path = folder.joinpath(*parts)
    if not parts or ".." in parts or PurePosixPath(name).is_absolute() or "\0" in name or Path(name).is_absolute():
        raise ValueError(f"{source}: the name {name!r:.100} leads out of the folder: don't use it")
    link = next((p for p in (path, *path.parents[: len(parts) - 1]) if p.is_symlink()), None)
    if link:
        raise ValueError(
            f"{link} is a link: copy the folder with the files that its links lead to (cp -rL), if you trust it"
        )
    return path


def read_utf8(path: Path) -> str:
    """Read a text file of at most `TEXT_SIZE` bytes.

    Raises:
        FileNotFoundError: If it is missing.
        ValueError: If it is no file, too large, or not UTF-8.
    """
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is no file")
    with path.open("rb") as file:
        data = file.read(TEXT_SIZE + 1)
    if len(data) > TEXT_SIZE:
        raise ValueError(f"{path} has more than {TEXT_SIZE // 2**20} MiB: don't use it")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text ({error}): copy it again") from error


def check_table(path: Path) -> None:
    """Check that the first line of a CSV file has a usual length.

    Raises:
        FileNotFoundError: If it is missing.
        ValueError: If the line is longer than `HEADER_SIZE`.
    """
    with path.open("rb") as file:
        if len(file.readline(HEADER_SIZE + 1)) > HEADER_SIZE:
            raise ValueError(f"{path}: the first line has more than {HEADER_SIZE:,} bytes: expected a table")


def check_hdf5(path: Path, limit: int | None = None) -> None:
    """Check that an HDF5 file has only numbers and texts of its own.

    Args:
        path: HDF5 file.
        limit: Size of its content in bytes, uncompressed; by default the size of the file, so that it is not compressed.

    Raises:
        ValueError: If it is no HDF5 file, refers to other files, has other content, or claims more than its own size.
    """
    with open_hdf5(path) as file:
        left = path.stat().st_size if limit is None else limit
        for name in file:
            if not isinstance(file.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{path}: {name!r:.60} is a link, maybe to another file: don't use it")
            data = file[name]
            if not isinstance(data, h5py.Dataset) or data.is_virtual or data.external or data.shape is None:
                raise ValueError(f"{path}: {name!r:.60} is no data of this file: don't use it")
            is_text = h5py.check_string_dtype(data.dtype) is not None
            if data.ndim != 1 if is_text else data.dtype.kind not in "biuf":
                raise ValueError(
                    f"{path}: {name!r:.60} has the type {data.dtype}, expected numbers, or a list of texts"
                )
            left -= math.prod(data.shape) * data.dtype.itemsize
            if left >= 0 and is_text:
                for start in range(0, len(data), TEXT_ROWS):
                    left -= sum(map(len, data[start : start + TEXT_ROWS]))
                    if left < 0:
                        break
            if left < 0:
                claim = "its size: it is compressed or damaged" if limit is None else f"{limit:,} bytes"
                raise ValueError(f"{path} claims more than {claim}. Don't use it")
