"""Folders of baselines for tests."""

import json
from pathlib import Path
from typing import Any

from flowsynth.core.integrity import sha256
from flowsynth.leaderboard.baselines import write_manifest
from flowsynth.leaderboard.manifest import MANIFEST, PREDICTIONS, SCORES


def complete_baselines(folder: Path, **manifest: Any) -> None:
    """Write a manifest for the files in a folder; files and entries that it lacks are empty."""
    for name in (SCORES, PREDICTIONS):
        (folder / name).touch()
    files = {name: [sha256(folder / name)] for name in (SCORES, PREDICTIONS)}
    empty = {"added": {}, "commits": [], "data": {}, "folds": [], "maker": {}}
    write_manifest(folder, {**empty, "files": files, **manifest})


def accept_changes(folder: Path) -> None:
    """Write the hashes of changed baselines to their manifest, as if they had been frozen so."""
    manifest = json.loads((folder / MANIFEST).read_text())
    complete_baselines(folder, **{key: value for key, value in manifest.items() if key != "files"})
