"""Programs that tests need, other than Python packages; `make test` installs them."""

import os
import shutil
from pathlib import Path

import pytest


def require(*programs: str) -> None:
    """Skip the test if a program, a command or a path, is not installed; in CI, fail."""
    missing = [program for program in programs if not (shutil.which(program) or Path(program).exists())]
    if missing:
        skip_or_fail(f"{', '.join(missing)} not installed, run: sh envs/packages.sh tests")


def skip_or_fail(message: str) -> None:
    """Skip the test, or fail it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
