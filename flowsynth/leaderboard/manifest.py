"""Manifest of frozen baselines: their folds, candidates and settings; importable without the scoring code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flowsynth.core.integrity import remedy, sha256
from flowsynth.core.readers import read_json

MANIFEST, SCORES, PREDICTIONS = "manifest.json", "scores.csv.gz", "predictions.h5"
# configuration keys outside the budget that scores depend on
SETTINGS = ("seed", "split", "render", "features")
# settings that change scores by no more than rounding
FREE_SETTINGS = ("datasets", "shards", "threads", "accelerator", "out_of_domain", "perception_items")
# keys of older manifests, which are frozen, and their present names
RENAMED_SETTINGS = {"sampled": "synthetic_presets", "in_memory": "cache_items"}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a folder of baselines, and verify the other files of the folder, whose hashes it has.

    Raises:
        FileNotFoundError: If there are no baselines, or one of their files is missing.
        ValueError: If a file is damaged, or was changed by hand.
    """
    path = folder / MANIFEST
    manifest = read_json(path, ("added", "commits", "data", "files", "folds", "maker"))
    for name in (SCORES, PREDICTIONS):
        expected, actual = manifest["files"].get(name, ()), sha256(folder / name)
        if actual not in expected:  # two while the file is replaced
            raise ValueError(
                f"{folder / name} is damaged, or was changed: its SHA-256 is {actual}, expected {' or '.join(expected)} "
                f"({path}): {remedy(folder / name)}"
            )
    return manifest


def frozen_folds(folder: Path) -> list[int]:
    """List the folds of a folder of baselines.

    Raises:
        FileNotFoundError: If there are no baselines.
    """
    return list(read_manifest(folder)["folds"])


def missing_fingerprint(folder: Path) -> str:
    """Explain that baselines have no fingerprint of scoring, and how to add one; empty if they have one."""
    if "scoring" in read_manifest(folder):
        return ""
    return (
        f"{folder / MANIFEST} has no fingerprint of scoring, as older baselines have hashes of the code instead. "
        f"Rescore the frozen predictions, which adds it if scores agree: python workflow/rescore.py --stamp "
        f"{folder.name}"
    )


def frozen_settings(folder: Path) -> dict[str, Any]:
    """Return the settings that baselines were made with, under the present names of their keys, and their provenance."""
    maker = read_manifest(folder)["maker"]
    return {RENAMED_SETTINGS.get(key, key): value for key, value in maker.items()}


def changed_settings(folder: Path, settings: Mapping[str, Any]) -> list[str]:
    """Describe the settings that scores depend on and that differ from those of the baselines."""
    frozen = frozen_settings(folder)
    return [
        f"{key} ({value}, frozen {frozen.get(key)})"
        for key, value in settings.items()
        if frozen.get(key) != value and key not in FREE_SETTINGS
    ]


def why_incomparable(folder: Path, config: Mapping[str, Any], trained: bool) -> str:
    """Explain why a candidate cannot be compared with baselines; empty if it can.

    Args:
        folder: Folder of the baselines.
        config: The configuration.
        trained: Whether the candidate is trained with it; the predictions of a submitted file may come from anywhere.
    """
    if not (folder / MANIFEST).exists():
        return f"there are no baselines of {folder.name} in {folder.parent}: `make freeze` runs their campaign"
    problem = missing_fingerprint(folder)
    if problem:
        return problem
    budget = config["budgets"][config["baselines"]["budget"]]
    settings = {key: value for key, value in budget.items() if key != "models"} | {key: config[key] for key in SETTINGS}
    changed = changed_settings(folder, settings) if trained else []
    if changed:
        return (
            f"the baselines of {folder.name} were made with other settings: {', '.join(changed)}. A model trained with "
            "these can't be compared with them; its predictions can, as a file"
        )
    return ""
