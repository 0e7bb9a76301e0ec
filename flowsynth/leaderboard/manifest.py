"""Manifest of frozen baselines: their folds, candidates and settings; importable without the scoring code."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
# configuration keys outside the budget that scores depend on
SETTINGS = ("seed", "split", "render", "features")
# settings that change scores by no more than rounding
FREE_SETTINGS = ("datasets", "shards", "threads", "accelerator", "out_of_domain")
# keys of older manifests, which are frozen, and their present names
RENAMED_SETTINGS = {"sampled": "synthetic_presets", "in_memory": "cache_items"}


def frozen_folds(folder: Path) -> list[int]:
    """List the folds of a folder of baselines.

    Raises:
        FileNotFoundError: If there are no baselines.
    """
    return list(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["folds"])


def missing_fingerprint(folder: Path) -> str:
    """Explain that baselines have no fingerprint of scoring, and how to add one; empty if they have one."""
    if "scoring" in json.loads((folder / MANIFEST).read_text(encoding="utf-8")):
        return ""
    return (
        f"{folder / MANIFEST} has no fingerprint of scoring, as older baselines have hashes of the code instead. "
        f"Rescore the frozen predictions, which adds it if scores agree: python workflow/rescore.py --stamp "
        f"{folder.name}"
    )


def frozen_settings(folder: Path) -> dict[str, Any]:
    """Return the settings that baselines were made with, under the present names of their keys, and their provenance."""
    maker = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["maker"]
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
