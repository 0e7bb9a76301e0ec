"""Validation of the configuration, before any job is planned."""

import re
import shutil
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from flowsynth.models import registry
from flowsynth.models.systems import System, is_prediction_file, prediction_name
from flowsynth.synths import spec as synths


def check(config: Mapping[str, Any], schema: Path) -> None:
    """Validate a configuration against its schema, and check that its models, budgets, data sets and folders exist.

    Raises:
        ValueError: With one line per error: location, expected value, and where the key is documented.
    """
    errors = []
    for error in jsonschema.Draft202012Validator(yaml.safe_load(schema.read_text())).iter_errors(config):
        location = ".".join(["config", *map(str, error.absolute_path)])
        hint = f"; known keys: {', '.join(error.schema.get('properties', {}))}" if "unexpected" in error.message else ""
        errors.append(f"{location}: {error.message}{hint}")
    if errors:
        raise ValueError("\n".join([*errors, f"Every key is explained in {schema}"]))
    available = [f"{name}{size}" for name in synths.available() for size in synths.load(name).sets]
    _require("budget", [config["budget"]], sorted(config["budgets"]))
    _require("synthesizer", [config["synth"]], synths.available())
    for budget in config["budgets"].values():
        _require("data set", budget["datasets"], available)
    if not datasets(config, config["budget"]):
        names = ", ".join(config["budgets"][config["budget"]]["datasets"])
        raise ValueError(f"config: the budget {config['budget']} has no data set of {config['synth']}; it has {names}")
    if config["split"] == "published":
        _check_published_split(config)
    for name in [name for section in (config, *config["budgets"].values()) for name in section.get("models", [])]:
        _check_model(name)
    _require("budget", [config["baselines"]["budget"]], sorted(config["budgets"]))
    with_baselines = config["baselines"]["datasets"]
    _require("data set", with_baselines, available)
    _require("data set with baselines", [config.get("compared_on", with_baselines[0])], with_baselines)
    if "candidate" in config:
        _check_candidate(config["candidate"])
    for name, collection in config["outside"].items():
        if "path" in collection and "package" not in collection and not Path(collection["path"]).exists():
            raise ValueError(
                f"config: outside.{name}: {collection['path']} does not exist: create it or remove the entry"
            )


def datasets(config: Mapping[str, Any], budget: str) -> list[str]:
    """Return the data sets of a budget that belong to the selected synthesizer."""
    return [name for name in config["budgets"][budget]["datasets"] if name.rstrip("0123456789") == config["synth"]]


def first_difference(budgets: Mapping[str, Mapping[str, Any]], ignored: str) -> str:
    """Describe the first difference between consecutive budgets, except in one setting; empty if there is none.

    Args:
        budgets: Settings by budget name.
        ignored: Setting that may differ.
    """
    for (first, left), (second, right) in pairwise(budgets.items()):
        for key in dict.fromkeys([*left, *right]):
            if key != ignored and left.get(key) != right.get(key):
                return f"{key} is {left.get(key)} in {first} and {right.get(key)} in {second}"
    return ""


def _check_model(name: str) -> None:
    system = System.parse(name)
    _require("model", [system.model], list(registry.models()))
    try:
        system.validate()
    except ValueError as error:
        raise ValueError(f"config: {error}") from error


def _check_published_split(config: Mapping[str, Any]) -> None:
    folds = config["budgets"][config["budget"]]["folds"]
    if not synths.load(config["synth"]).has_published_split:
        raise ValueError(f"config: split: {config['synth']} has no published split, or it was not imported")
    if folds != 1:
        raise ValueError(f"config: split: the published split has one fold; the budget {config['budget']} has {folds}")


def _check_candidate(candidate: str) -> None:
    if not is_prediction_file(candidate):
        _check_model(candidate)
        if System.parse(candidate).model == "oracle":
            raise ValueError("config: candidate: the oracle predicts the ground truth, a comparison is meaningless")
        return
    if not Path(candidate).is_file():
        raise ValueError(f"config: candidate: there is no file {candidate}")
    name = prediction_name(candidate)
    reserved = {*registry.models(), "search", "original"}  # the last two are shown next to models on pages
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or name in reserved or System.parse(name).steps:
        raise ValueError(
            f"config: candidate: invalid name {name!r} of {candidate}; rename it: lower-case letters, digits and _, "
            "but not the name of a model, 'search' or 'original'"
        )


def missing_packages(collection: Mapping[str, str]) -> list[str]:
    """Return the packages that a sound collection needs and that are not installed; it is then skipped."""
    packages = []
    if "package" in collection and not Path(collection["path"]).exists():
        packages.append(collection["package"])
    if collection["kind"] == "soundfont" and shutil.which("fluidsynth") is None:
        packages.append("fluidsynth")
    return packages


def source_files(collection: Mapping[str, str]) -> list[str]:
    """List the source files of a sound collection, including subfolders, without hidden files."""
    if "path" not in collection:
        return []
    path = Path(collection["path"])
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [str(file) for file in files if not file.name.startswith(".") and not file.is_dir()]


def ood_models(config: Mapping[str, Any], budget: str) -> list[str]:
    """List the models evaluated on out-of-domain sounds: all but the oracle, and search if configured."""
    names = config["budgets"][budget].get("models", config["models"])
    models = [model for model in dict.fromkeys(System.parse(name).model for name in names) if model != "oracle"]
    return models + ["search"] * (config["budgets"][budget]["outside"]["searched"] > 0)


def _require(kind: str, names: list[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"config: unknown {kind} {name!r}, expected one of: {', '.join(known)}")
