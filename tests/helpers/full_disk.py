"""A disk that is full, without filling one: files may not grow beyond a size."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest import mock


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let writes of this process beyond a file size fail, as those on a full disk do; the error is EFBIG, not ENOSPC.

    Python would cut the compiled modules that it writes too, without an error, and never import them again.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        with mock.patch.object(sys, "dont_write_bytecode", True):
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def free_space(size: float) -> Iterator[None]:
    """Report a size as the free space of every disk, in bytes."""
    with mock.patch("flowsynth.core.disk_space.shutil.disk_usage", lambda path: SimpleNamespace(free=size)):
        yield
