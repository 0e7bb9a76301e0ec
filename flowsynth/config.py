"""The configuration, checked before anything is planned."""

import re
import shutil
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from flowsynth.models import registry
from flowsynth.synths import spec as synths


def check(config: Mapping[str, Any], schema: Path) -> None:
    """Check a configuration against its schema, and that the models, budget, data sets and folders it names exist.

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
    there = [f"{name}{size}" for name in synths.known() for size in synths.load(name).sets]
    _require("budget", [config["budget"]], sorted(config["budgets"]))
    _require("synthesizer", [config["synth"]], synths.known())
    for budget in config["budgets"].values():
        _require("data set", budget["datasets"], there)
    if not datasets(config, config["budget"]):
        has = ", ".join(config["budgets"][config["budget"]]["datasets"])
        raise ValueError(f"config: the budget {config['budget']} has no data set of {config['synth']}; it has {has}")
    if config["split"] == "published":
        _require_parts(config)
    for name in [name for given in (config, *config["budgets"].values()) for name in given.get("models", [])]:
        _known(name)
    _require("budget", [config["baselines"]["budget"]], sorted(config["budgets"]))
    fixed = config["baselines"]["datasets"]
    _require("data set", fixed, there)
    _require("data set with baselines", [config.get("compared_on", fixed[0])], fixed)
    if "candidate" in config:
        _candidate(config["candidate"])
    for name, given in config["outside"].items():
        if "path" in given and "package" not in given and not Path(given["path"]).exists():
            raise ValueError(f"config: outside.{name}: there is no {given['path']}: make it, or leave it out")


def datasets(config: Mapping[str, Any], budget: str) -> list[str]:
    """Data sets of a budget that are of the synthesizer chosen."""
    return [name for name in config["budgets"][budget]["datasets"] if name.rstrip("0123456789") == config["synth"]]


def unequal(budgets: Mapping[str, Mapping[str, Any]], but: str) -> str:
    """What budgets differ in besides one setting, in words; empty if it is nothing.

    Args:
        budgets: Settings by name.
        but: The setting.
    """
    for (first, least), (second, given) in pairwise(budgets.items()):
        for key in dict.fromkeys([*least, *given]):
            if key != but and least.get(key) != given.get(key):
                return f"{key} is {least.get(key)} in {first} and {given.get(key)} in {second}"
    return ""


def _known(name: str) -> None:
    _require("model", [registry.model_of(name)], list(registry.models()))
    try:
        registry.validate(name)
    except ValueError as error:
        raise ValueError(f"config: {error}") from error


def _require_parts(config: Mapping[str, Any]) -> None:
    folds = config["budgets"][config["budget"]]["folds"]
    if not synths.load(config["synth"]).parts:
        raise ValueError(f"config: split: with the presets of {config['synth']} no split was published, or imported")
    if folds != 1:
        raise ValueError(f"config: split: the published one is one fold; the budget {config['budget']} has {folds}")


def _candidate(given: str) -> None:
    if not registry.is_prediction_file(given):
        _known(given)
        if registry.model_of(given) == "oracle":
            raise ValueError("config: candidate: the oracle answers with the truth, there is nothing to compare")
        return
    if not Path(given).is_file():
        raise ValueError(f"config: candidate: there is no file {given}")
    name = registry.prediction_name(given)
    taken = {*registry.models(), "search", "original"}  # the last two stand beside models on pages
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or name in taken or registry.last_step(name):
        raise ValueError(
            f"config: candidate: {given} is called {name!r}; rename it: small letters, digits and _, and no name of a model, "
            "of search or of the original"
        )


def wanting(collection: Mapping[str, str]) -> list[str]:
    """Packages that a collection of sounds needs and that are not installed; it is left out then."""
    packages = []
    if "package" in collection and not Path(collection["path"]).exists():
        packages.append(collection["package"])
    if collection["kind"] == "soundfont" and shutil.which("fluidsynth") is None:
        packages.append("fluidsynth")
    return packages


def files(collection: Mapping[str, str]) -> list[str]:
    """Files that a collection of sounds is made from, those in subfolders too; hidden ones are left out."""
    if "path" not in collection:
        return []
    path = Path(collection["path"])
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [str(file) for file in found if not file.name.startswith(".") and not file.is_dir()]


def answering(config: Mapping[str, Any], budget: str) -> list[str]:
    """Models that answer to sounds from outside: all but the oracle, which has no truth to tell, and search if asked for."""
    given = config["budgets"][budget].get("models", config["models"])
    models = [name for name in dict.fromkeys(map(registry.model_of, given)) if name != "oracle"]
    return models + ["search"] * (config["budgets"][budget]["outside"]["searched"] > 0)


def _require(what: str, names: list[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"config: unknown {what} {name!r}, expected one of: {', '.join(known)}")
