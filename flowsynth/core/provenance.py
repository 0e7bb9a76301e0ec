"""Who made a file: versions, commit and settings, kept in the file or beside it."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

from flowsynth import __version__
from flowsynth.core.locks import create

PACKAGES = ("dawdreamer", "numpy", "librosa", "torch", "cma", "zuko")
PARTS = ("flowsynth", "workflow", "Snakefile", "config.yaml", "envs")


@cache
def commit() -> str:
    """Git commit of the code, ``unknown`` outside a checkout.

    With ``-dirty`` where a file that results depend on (`PARTS`) is another one, or is not known to git.
    """
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        status = [*git, "status", "--porcelain", "--untracked-files=all", "--", *(f":(top){part}" for part in PARTS)]
        dirty = subprocess.run(status, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}-dirty" if dirty else head


@cache
def versions() -> dict[str, str]:
    """Versions of the packages that a result depends on."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def maker(**settings: object) -> dict[str, object]:
    """Describe what makes a file: this code, the packages a result depends on, and the settings given.

    There is no date in it: the same code and settings make the same file.
    """
    return {"flowsynth": __version__, "commit": commit(), "versions": versions(), **settings}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file under a temporary name and rename it when it is whole, so that no half of it is ever seen.

    The name is of this process alone, and what a killed one has left of the same file is removed. An empty file is there
    already, whose lock is held: it must be written, not replaced, and HDF5 must not lock it a second time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, held = create(path)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        if held is not None:
            os.close(held)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text)


def write_csv(frame: pd.DataFrame, path: Path, **settings: object) -> None:
    """Write a table without its index, and beside it ``NAME.csv.json``, which says what made it."""
    write_text(path.with_name(path.name + ".json"), json.dumps(maker(**settings), indent=1, sort_keys=True) + "\n")
    with replacing(path) as temporary:
        frame.to_csv(temporary, index=False)
