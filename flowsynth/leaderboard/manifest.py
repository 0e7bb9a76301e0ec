"""What baselines there are, and what they were made with: rules can ask this without importing what scores them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
# of the configuration, beside those of the budget, that scores depend on
SETTINGS = ("seed", "split", "render", "features")
# settings that scores don't depend on, or by rounding alone
FREE = ("datasets", "shards", "threads", "accelerator", "outside")


def frozen_folds(folder: Path) -> list[int]:
    """The folds that a folder of baselines has.

    Raises:
        FileNotFoundError: If there are none.
    """
    return list(json.loads((folder / MANIFEST).read_text())["folds"])


def submitted(folder: Path) -> list[str]:
    """What was added to baselines as a file of answers: how many renderings that took is not known."""
    added = json.loads((folder / MANIFEST).read_text())["added"]
    return [name for name, made in added.items() if made["file"]]


def unstamped(folder: Path) -> str:
    """Why baselines don't say what scoring did when they were made, if so, and what to do."""
    if "scoring" in json.loads((folder / MANIFEST).read_text()):
        return ""
    return (
        f"{folder / MANIFEST} does not say what scoring did, as it was made when hashes of the code were kept. Score "
        "the frozen answers again, and have it say so if scores are the same: "
        f"python workflow/rescore.py --stamp {folder.name}"
    )


def differing(folder: Path, settings: Mapping[str, Any]) -> list[str]:
    """Say which settings are others than those that baselines were made with, and that scores depend on."""
    theirs = json.loads((folder / MANIFEST).read_text())["maker"]
    return [
        f"{key} ({value}, theirs {theirs.get(key)})"
        for key, value in settings.items()
        if theirs.get(key) != value and key not in FREE
    ]


def lacking(folder: Path, config: Mapping[str, Any], trained: bool) -> str:
    """Why nothing can be compared with baselines, if so.

    Args:
        folder: Of the baselines.
        config: The configuration.
        trained: Whether the candidate is trained with it. Answers that are given as a file may come from anywhere.
    """
    if not (folder / MANIFEST).exists():
        return (
            f"there are no baselines of {folder.name} in {folder.parent}: make freeze runs the campaign they come from"
        )
    if unstamped(folder):
        return unstamped(folder)
    budget = config["budgets"][config["baselines"]["budget"]]
    given = {key: value for key, value in budget.items() if key != "models"} | {key: config[key] for key in SETTINGS}
    told = differing(folder, given) if trained else []
    if told:
        return (
            f"the baselines of {folder.name} were made with other settings: {', '.join(told)}. A model that is trained "
            "otherwise can't be compared with them; its answers can, as a file"
        )
    return ""
