"""File locks, and temporary files and folders that hold one.

A lock is released by the kernel when its process ends, and visible to all hosts that share the file system.
On file systems without locks, processes do not wait for each other, and leftovers of killed processes stay.
"""

import errno
import io
import os
import platform
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from flowsynth.core.disk_space import is_full

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

BUSY = (errno.EAGAIN, errno.EACCES)
# 524: ENOTSUPP of NFS; EBADF: a folder on NFS
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, 524)
FOLDER_PREFIX = "flowsynth-tmp-"


def lock(file: int, wait: bool = False) -> bool | None:
    """Lock an open file exclusively.

    Args:
        file: File descriptor.
        wait: Whether to wait until other processes release it.

    Returns:
        Whether the lock was acquired; None if the file system has no locks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in BUSY and not wait:
            return False
        if error.errno in NO_LOCKS:
            return None
        raise
    return True


@contextmanager
def exclusive_log(path: Path, on_wait: Callable[[str], object]) -> Iterator[IO[str]]:
    """Open an empty log file for this process only; its first line names the process.

    Args:
        path: Log file. A full disk truncates it, and raises no error.
        on_wait: Called with a message before waiting for another process.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with io.TextIOWrapper(_Log(path, "a+"), encoding="utf-8", write_through=True) as file:  # type: ignore[type-var]
            acquired = lock(file.fileno())
            if acquired is False:
                on_wait(f"{_writer(path)} runs the same job and writes {path}: waiting for it to end")
                lock(file.fileno(), wait=True)
            if not _is_current(path, file.fileno()):
                continue  # deleted meanwhile
            file.truncate(0)
            note = "" if acquired is not None else "; no file locks here, another process may write the same files"
            file.write(f"PID {os.getpid()} on {platform.node()}{note}\n")
            yield file
            return


class _Log(io.FileIO):
    """A file that a full disk truncates."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if not is_full(error):
                raise
            return len(data)


def _writer(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        match = re.match(r"PID \d+ on \S+", file.readline())
    return match[0].rstrip(";") if match else "another process"


def create_temporary(path: Path) -> tuple[Path, int | None]:
    """Create an empty, locked temporary file next to `path`, and remove leftovers of killed processes.

    Returns:
        The file, and a descriptor that holds its lock until closed; None if the file system has no locks.
    """
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            file = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            continue
        acquired = lock(file)
        if acquired is None:
            os.close(file)
            return temporary, None
        if acquired and _is_current(temporary, file):
            _remove_leftovers(path, temporary)
            return temporary, file
        os.close(file)  # another process has mistaken it for a leftover


def _remove_leftovers(path: Path, own: Path) -> None:
    """Remove temporary files of a path that no process holds a lock on."""
    pattern = re.compile(re.escape(f".{path.name}.") + r"[0-9a-f]{8}\.tmp")
    for candidate in path.parent.iterdir():
        if candidate == own or not pattern.fullmatch(candidate.name):
            continue
        try:
            file = os.open(candidate, os.O_RDWR)
        except (FileNotFoundError, PermissionError):
            continue  # renamed meanwhile, or owned by another user
        try:
            if lock(file):
                candidate.unlink(missing_ok=True)
        finally:
            os.close(file)


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Create a temporary folder for the block, and remove those that killed processes of this user have left.

    Args:
        parent: Where to create it, by default the system's folder of temporary files.
    """
    parent = parent or Path(tempfile.gettempdir())
    folder, descriptor = _create_folder(parent)
    try:
        for candidate in parent.glob(f"{FOLDER_PREFIX}*"):
            if re.fullmatch(re.escape(FOLDER_PREFIX) + r"[a-z0-9_]{8}", candidate.name):
                _remove_unlocked_folder(candidate)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _create_folder(parent: Path) -> tuple[Path, int]:
    """Create a folder, and lock it with the descriptor that is returned."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=parent))
        with suppress(FileNotFoundError):
            descriptor = os.open(folder, os.O_RDONLY)
            if lock(descriptor) is not False and _is_current(folder, descriptor):
                return folder, descriptor
            os.close(descriptor)  # another process has mistaken it for a leftover


def _remove_unlocked_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return  # removed meanwhile, or of another user
    try:
        if os.fstat(descriptor).st_uid == os.getuid() and lock(descriptor):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def _is_current(path: Path, file: int) -> bool:
    """Whether a path still refers to an open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False
