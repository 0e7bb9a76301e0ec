"""Which folds there are baselines of: a module that rules can ask without importing what scores them."""

import json
from pathlib import Path

MANIFEST = "manifest.json"


def frozen_folds(folder: Path) -> list[int]:
    """The folds that a folder of baselines has.

    Raises:
        FileNotFoundError: If there are none.
    """
    return list(json.loads((folder / MANIFEST).read_text())["folds"])
