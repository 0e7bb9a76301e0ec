"""The configuration, checked before anything is planned."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from flowsynth import synths

MODELS = sorted(path.stem for path in (Path(__file__).parent / "models").glob("[a-z]*.py"))  # without importing torch


def check(config: Mapping[str, Any], schema: Path) -> None:
    """Check a configuration against its schema, and that the models, the budget and the data sets it names exist.

    Raises:
        ValueError: With a line for each fault: where it is, what was expected, and where the key is explained.
    """
    faults = []
    for error in jsonschema.Draft202012Validator(yaml.safe_load(schema.read_text())).iter_errors(config):
        where = ".".join(["config", *map(str, error.absolute_path)])
        known = ", ".join(error.schema.get("properties", {}))
        faults.append(f"{where}: {error.message}" + (f"; known keys: {known}" if "unexpected" in error.message else ""))
    if faults:
        raise ValueError("\n".join([*faults, f"Every key is explained in {schema}"]))
    datasets = [f"{name}{size}" for name in synths.known() for size in synths.load(name).sets]
    _require("model", config["models"], MODELS)
    _require("budget", [config["budget"]], sorted(config["budgets"]))
    for budget in config["budgets"].values():
        _require("data set", budget["datasets"], datasets)


def _require(what: str, names: list[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"config: unknown {what} {name!r}, expected one of: {', '.join(known)}")
