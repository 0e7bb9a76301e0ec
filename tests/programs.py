"""Programs that the tests need and that are no Python packages: installed from Debian's, or reported missing."""

import os
import shutil
import subprocess
from collections.abc import Sequence

import pytest


class Unavailable(Exception):
    """Something can't be had on this machine; says why and what to do."""


def install(programs: Sequence[str], packages: Sequence[str]) -> None:
    """See to it that programs are there.

    Raises:
        Unavailable: If they are not and their packages can't be installed.
    """
    if all(map(shutil.which, programs)):
        return
    wanted = ", ".join(packages)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Unavailable(f"{', '.join(programs)} are not installed, and only root with apt-get can install {wanted}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "-qq", *arguments], env=environment, text=True, capture_output=True, timeout=300
        )
        if done.returncode:
            raise Unavailable(f"apt-get {' '.join(arguments)} failed: {done.stdout}{done.stderr}")


def give_up(message: str) -> None:
    """Skip the tests that need it; in CI they fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
