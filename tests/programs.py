"""Programs that the tests need, other than Python packages: installed from Debian, or reported missing."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

LOCK = Path("/run/lock/packages-of-tests")


class Unavailable(Exception):
    """A program is unavailable on this machine; the message says why."""


def install(programs: Sequence[str], packages: Sequence[str]) -> None:
    """Install packages unless their programs are there.

    Args:
        programs: Commands or paths.
        packages: Debian packages.

    Raises:
        Unavailable: If the packages can't be installed.
    """
    if all(shutil.which(program) or Path(program).exists() for program in programs):
        return
    names = ", ".join(packages)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Unavailable(f"{', '.join(programs)} are not installed, and only root with apt-get can install {names}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with LOCK.open("w") as lock:  # one at a time: apt-get does not wait for other instances
        fcntl.flock(lock, fcntl.LOCK_EX)
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *arguments]
            result = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=600)
            if result.returncode:
                raise Unavailable(f"apt-get {' '.join(arguments)} failed: {result.stdout}{result.stderr}")


def skip_or_fail(message: str) -> None:
    """Skip the test, or fail it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
