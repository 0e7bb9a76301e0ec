"""Programs that the tests need and that are no Python packages: installed from Debian's, or reported missing."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

LOCK = Path("/run/lock/packages-of-tests")


class Unavailable(Exception):
    """Something can't be had on this machine; says why and what to do."""


def install(programs: Sequence[str], packages: Sequence[str]) -> None:
    """See to it that programs are there, each a command or a path.

    Raises:
        Unavailable: If they are not and their packages can't be installed.
    """
    if all(shutil.which(program) or Path(program).exists() for program in programs):
        return
    wanted = ", ".join(packages)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Unavailable(f"{', '.join(programs)} are not installed, and only root with apt-get can install {wanted}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with LOCK.open("w") as lock:  # one after another: apt-get does not wait for its like
        fcntl.flock(lock, fcntl.LOCK_EX)
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *arguments]
            done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=600)
            if done.returncode:
                raise Unavailable(f"apt-get {' '.join(arguments)} failed: {done.stdout}{done.stderr}")


def skip_or_fail(message: str) -> None:
    """Skip the tests that need it; in CI they fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
