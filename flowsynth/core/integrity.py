"""Checksums of the files of a run: recorded when a job ends, verified before a job or an application reads the files.

The checksum of a file lies beside it, in ``PATH.sha256``: one line in the format of ``sha256sum``, with the path relative to
the folder of the workflow. So ``sha256sum --check`` verifies it there, and a file of another fold is not mistaken for it.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from flowsynth.core.layout import is_result
from flowsynth.core.provenance import write_text

KINDS = (".csv", ".h5", ".pt")  # data, which later jobs read; figures, pages and text tables have no checksum
_digests: dict[tuple[str, int, int, int], str] = {}  # by path, inode, size and time of change


def checksum_path(path: Path) -> Path:
    """Return the path of a file's checksum."""
    return path.with_name(path.name + ".sha256")


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file, once per process as long as its size and time of change stay the same."""
    status = path.stat()
    key = str(path.absolute()), status.st_ino, status.st_size, status.st_mtime_ns
    if key not in _digests:
        with path.open("rb") as file:
            _digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _digests[key]


def record(path: Path) -> None:
    """Write the checksum of a finished file."""
    write_text(checksum_path(path), f"{sha256(path)}  {path.as_posix()}\n")


def verify(path: Path) -> None:
    """Verify a file against its checksum, if it has one.

    Raises:
        ValueError: If it was damaged or changed since its job ended.
    """
    if checksum_path(path).exists():
        _compare(path)


def verify_inputs(paths: Iterable[Path]) -> None:
    """Verify the input files of a job; those that other jobs made must have their own checksums.

    Raises:
        FileNotFoundError: If a checksum is missing.
        ValueError: If a file was damaged or changed since its job ended, or is another file of the run.
    """
    for path in paths:
        if path.suffix not in KINDS or not is_result(path):
            continue
        if not checksum_path(path).exists():
            raise FileNotFoundError(
                f"{path} has no checksum, {checksum_path(path).name} is missing: delete {path} and run again. If you are "
                f"sure of its content, write the checksum instead: sha256sum {path} > {checksum_path(path)}"
            )
        recorded = _compare(path)
        if recorded != path.as_posix():
            raise ValueError(f"{path} is a copy of {recorded}, by its checksum: delete it and run again")


def remedy(path: Path) -> str:
    """Say how to get a damaged file back."""
    if is_result(path):
        return "delete it and run again"
    return f"restore it: git checkout -- {path}" if path.parts[:1] == ("results",) else "copy it again"


def _compare(path: Path) -> str:
    """Compare the checksum of a file with the recorded one, and return the path that was recorded."""
    expected, _, recorded = checksum_path(path).read_text(encoding="utf-8", errors="replace").strip().partition("  ")
    actual = sha256(path)
    if actual != expected:
        raise ValueError(
            f"{path} is damaged, or was changed: its SHA-256 is {actual}, expected {expected or 'none'} "
            f"({checksum_path(path).name}). Delete it and run again"
        )
    return recorded
