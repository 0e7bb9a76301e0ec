"""Validation of the configuration, before any job is planned."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from flowsynth.config.settings import datasets
from flowsynth.models import registry
from flowsynth.models.systems import System, is_prediction_file, prediction_name
from flowsynth.synths import spec as synths

# old keys and their present names: at the top, in a budget, and in its `out_of_domain`
RENAMED = {"shown": "display_model", "outside": "out_of_domain"}
RENAMED_IN_BUDGET = {"sampled": "synthetic_presets", "in_memory": "cache_items", "outside": "out_of_domain"}
RENAMED_IN_OUT_OF_DOMAIN = {"searched": "search_items", "renders": "render_budget"}


def check(config: Mapping[str, Any], schema: Path) -> None:
    """Validate a configuration against its schema, and check that its models, budgets, data sets and folders exist.

    Raises:
        ValueError: With one line per error: location, expected value, and where the key is documented; or with one line
            per key that was renamed.
    """
    renamed = _renamed_keys(config)
    if renamed:
        raise ValueError("\n".join(["config: these keys have new names:", *renamed]))
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
    for name, collection in config["out_of_domain"].items():
        if "path" in collection and "package" not in collection and not Path(collection["path"]).exists():
            raise ValueError(
                f"config: out_of_domain.{name}: {collection['path']} does not exist: create it or remove the entry"
            )


def _renamed_keys(config: Mapping[str, Any]) -> list[str]:
    """Describe the keys of a configuration that were renamed, one line each. The configuration may be invalid."""
    lines = [f"config.{old} is now {new}" for old, new in RENAMED.items() if old in config]
    budgets = {name: _mapping(budget) for name, budget in _mapping(config.get("budgets")).items()}
    nested = {name: _mapping(budget.get("out_of_domain", budget.get("outside"))) for name, budget in budgets.items()}
    for sections, prefix, keys in (
        (budgets, "", RENAMED_IN_BUDGET),
        (nested, "out_of_domain.", RENAMED_IN_OUT_OF_DOMAIN),
    ):
        for old, new in keys.items():
            names = [name for name, section in sections.items() if old in section]
            if names:
                lines.append(f"config.budgets.*.{prefix}{old} is now {new} (in {', '.join(names)})")
    return lines


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


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


def _require(kind: str, names: list[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"config: unknown {kind} {name!r}, expected one of: {', '.join(known)}")
