"""Who writes a file: locks that the kernel frees when a process ends, however it ends, seen from all hosts of a file system.

Some file systems have none; there, nobody waits for anybody, and what a killed process has left stays.
"""

import errno
import os
import platform
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

BUSY = (errno.EAGAIN, errno.EACCES)
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, 524)  # 524: what NFS says, without a name


def lock(file: int, wait: bool = False) -> bool | None:
    """Lock an open file for this process alone.

    Args:
        file: Its descriptor.
        wait: Until others have let it go.

    Returns:
        Whether it is locked; nothing where files can't be locked.
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
def alone(path: Path, waiting: Callable[[str], object]) -> Iterator[IO[str]]:
    """Open a log file that no other process writes, emptied; its first line says who writes it.

    Args:
        path: Of the file.
        waiting: Is told for whom, before it is waited for another process to end.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = path.open("a+")
        with file:
            held = lock(file.fileno())
            if held is False:
                waiting(f"{_writer(path)} makes the same and writes {path}: it is waited for")
                lock(file.fileno(), wait=True)
            if not _is(path, file.fileno()):
                continue  # it was deleted meanwhile
            file.truncate(0)
            without = "" if held is not None else "; files can't be locked here, another process may write them too"
            file.write(f"PID {os.getpid()} on {platform.node()}{without}\n")
            file.flush()
            yield file
            return


def _writer(path: Path) -> str:
    with path.open(errors="replace") as file:
        found = re.match(r"PID \d+ on \S+", file.readline())
    return found[0].rstrip(";") if found else "another process"


def create(path: Path) -> tuple[Path, int | None]:
    """Create an empty file in whose place `path` shall come, and remove those that killed processes have left.

    Returns:
        The file, and a descriptor that holds its lock until it is closed; none where files can't be locked.
    """
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            file = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            continue
        held = lock(file)
        if held is None:
            os.close(file)
            return temporary, None
        if held and _is(temporary, file):
            _remove_left(path, temporary)
            return temporary, file
        os.close(file)  # another process has taken it for one that was left


def _remove_left(path: Path, ours: Path) -> None:
    """Remove temporary files of a path that no process writes."""
    kind = re.compile(re.escape(f".{path.name}.") + r"[0-9a-f]{8}\.tmp")
    for left in path.parent.iterdir():
        if left == ours or not kind.fullmatch(left.name):
            continue
        try:
            file = os.open(left, os.O_RDWR)
        except (FileNotFoundError, PermissionError):
            continue  # its process has just ended well, or is somebody else's
        try:
            if lock(file):
                left.unlink(missing_ok=True)
        finally:
            os.close(file)


def _is(path: Path, file: int) -> bool:
    """Whether an open file is still what stands at a path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False
