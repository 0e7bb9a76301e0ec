"""Provenance: versions, commit and settings of a file, stored in it or next to it; atomic writes."""

import json
import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

from flowsynth import __version__
from flowsynth.core.disk_space import full_disk_as_one_error
from flowsynth.core.locks import create_temporary

PACKAGES = ("dawdreamer", "numpy", "librosa", "torch", "cma", "zuko")
SOURCES = ("flowsynth", "workflow", "Snakefile", "config.yaml", "envs")


@cache
def commit() -> str:
    """Return the git commit of the code, or ``unknown`` outside a checkout.

    The suffix ``-dirty`` marks a modified or untracked file that results depend on (`SOURCES`). If git refuses to read the
    checkout, as it does if another user owns it, a warning repeats its reason and its remedy.
    """
    git = ["git", "-C", str(Path(__file__).parent)]
    status = [*git, "status", "--porcelain", "--untracked-files=all", "--", *(f":(top){path}" for path in SOURCES)]
    try:
        head, changes = (_output(command) for command in ([*git, "rev-parse", "HEAD"], status))
    except OSError:
        return "unknown"
    except subprocess.CalledProcessError as error:
        reason = " ".join(error.stderr.split())
        if "not a git repository" not in reason:
            logging.getLogger("flowsynth").warning("the commit of the code is unknown, git says: %s", reason)
        return "unknown"
    return f"{head}-dirty" if changes else head


def _output(command: list[str]) -> str:
    """Return the output of git, in English."""
    environment = os.environ | {"LC_ALL": "C"}
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", check=True, env=environment
    ).stdout.strip()


@cache
def versions() -> dict[str, str]:
    """Return the installed versions of the packages that results depend on."""
    installed = {}
    for package in PACKAGES:
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            continue
    return installed


def maker(**settings: object) -> dict[str, object]:
    """Describe what produces a file: this code, the packages that results depend on, and the settings.

    There is no date: the same code and settings produce the same file.
    """
    return {"flowsynth": __version__, "commit": commit(), "versions": versions(), **settings}


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Write a file under a temporary name and rename it on success, so that a partial file is never visible.

    The temporary name is unique to this process; leftovers of killed processes are removed. The temporary file already
    exists, empty and locked: write into it rather than replace it, and open it in HDF5 without locking.

    Raises:
        OSError: If the disk is full, whatever error that causes in the block.
    """
    with full_disk_as_one_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary, descriptor = create_temporary(path)
        try:
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
            if descriptor is not None:
                os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(frame: pd.DataFrame, path: Path, **settings: object) -> None:
    """Write a table without its index, and its provenance to ``NAME.csv.json``."""
    write_text(path.with_name(path.name + ".json"), json.dumps(maker(**settings), indent=1, sort_keys=True) + "\n")
    with atomic_write(path) as temporary:
        frame.to_csv(temporary, index=False)
