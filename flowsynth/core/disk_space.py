"""Disk space: an estimate before a file is written, and one message when a disk fills while files are written."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
REMEDY = "free some space there, or choose a smaller budget, and repeat the command; finished files are kept"


def require_space(path: Path, size: float) -> None:
    """Check that a disk has space for a file or a folder.

    Args:
        path: File or folder to write; it need not exist.
        size: Space that it still needs, in bytes.

    Raises:
        OSError: If there is less.
    """
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OSError(f"{path}: no space ({_mebibytes(size)} needed, {_mebibytes(free)} free): {REMEDY}")


def folder_size(folder: Path) -> int:
    """Return the size of the files of a folder in bytes, 0 if there is none; other jobs may write them meanwhile."""
    size = 0
    for path in folder.iterdir() if folder.exists() else ():
        with suppress(FileNotFoundError):  # renamed by another job
            size += path.stat().st_size
    return size


@contextmanager
def full_disk_as_one_error(path: Path) -> Iterator[None]:
    """Replace any error that a full disk causes, such as that of torch, by the message of `require_space`.

    Args:
        path: File that is written in the block.

    Raises:
        OSError: If the disk is full.
    """
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not is_full(cause):
            cause = cause.__cause__ or cause.__context__
        if not isinstance(cause, OSError):
            raise
        reason = os.strerror(cause.errno or 0).lower()
        raise OSError(f"{path}: no space ({reason}): {REMEDY}") from error


def is_full(error: BaseException | None) -> bool:
    """Whether an error says that a disk is full, or a file larger than is allowed."""
    return isinstance(error, OSError) and error.errno in FULL


def _mebibytes(size: float) -> str:
    return f"{size / 2**20:,.1f} MiB"
