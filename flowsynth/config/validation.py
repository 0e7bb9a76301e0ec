"""Validation of the configuration, before any job is planned."""

import math
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from flowsynth.config.contradictions import contradictions
from flowsynth.config.settings import datasets, job_sizes
from flowsynth.models import registry
from flowsynth.models.systems import PREDICTION_SUFFIXES, System, is_prediction_file, prediction_name
from flowsynth.synths import spec as synths

# old keys and their present names: at the top, in a budget, and in its `out_of_domain`
RENAMED = {"shown": "display_model", "outside": "out_of_domain"}
RENAMED_IN_BUDGET = {"sampled": "synthetic_presets", "in_memory": "cache_items", "outside": "out_of_domain"}
RENAMED_IN_OUT_OF_DOMAIN = {"searched": "search_items", "renders": "render_budget"}


def _is_number(_: object, value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_integer(_: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# unlike JSON schema, 2.0 is no integer, with which ranges fail, and NaN and infinity are no numbers
SchemaValidator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": _is_number, "integer": _is_integer}
    ),
)


def check(config: Mapping[str, Any], schema: Path) -> None:
    """Validate a configuration against its schema, and check that its models, budgets, data sets and folders exist.

    Settings that contradict each other are refused too, see `flowsynth.config.contradictions`.

    Raises:
        ValueError: With one line per error: location, expected value, and where the key is documented; or with one line
            per key that was renamed.
    """
    renamed = _renamed_keys(config)
    if renamed:
        raise ValueError("\n".join(["config: these keys have new names:", *renamed]))
    errors = []
    for error in SchemaValidator(yaml.load(schema.read_text(encoding="utf-8"), synths.YAML_LOADER)).iter_errors(config):
        location = ".".join(["config", *map(str, error.absolute_path)])
        message = ", and ".join(cause.message for cause in error.context) or error.message
        errors.append(f"{location}: {message}{_remedy(error)}")
    if errors:
        raise ValueError("\n".join([*errors, f"Every key is explained in {schema}"]))
    available = _available_datasets()
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
    _require("model", [config["display_model"]], list(registry.models()))
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
    problems = contradictions(config)
    if problems:
        raise ValueError("\n".join(problems))


def check_wildcards(config: Mapping[str, Any], wildcards: Mapping[str, str]) -> None:
    """Check the wildcards of a requested file like the configuration; those of files of a run are valid.

    Args:
        config: A valid configuration.
        wildcards: Some of budget, dataset, split, fold, shard, collection and model. A shard within a fold is one of the
            synthetic presets.

    Raises:
        ValueError: With the invalid value, and the known ones.
    """
    where = "results"
    for key, name, known in (
        ("budget", "budget", list(config["budgets"])),
        ("dataset", "data set", _available_datasets()),
        ("collection", "collection", list(config["out_of_domain"])),
    ):
        _require(name, [wildcards[key]] if key in wildcards else [], known, where)
    budget = config["budgets"].get(wildcards.get("budget"), {})
    limits = {"fold": budget.get("folds"), "shard": budget.get("shards")}
    if "fold" in wildcards:
        limits["shard"] = len(job_sizes(budget.get("synthetic_presets", 0)))
    for key, limit in limits.items():
        if key in wildcards and limit is not None and int(wildcards[key]) >= limit:
            raise ValueError(
                f"{where}: {key} {wildcards[key]} of the budget {wildcards['budget']} does not exist: it has {limit}, "
                "counted from 0"
            )
    if wildcards.get("split") == "published" and not synths.dataset(wildcards["dataset"])[0].has_published_split:
        raise ValueError(f"{where}: {wildcards['dataset']} has no published split, expected random or grouped")
    candidate = config.get("candidate", "")
    names = [*registry.models(), "search", *([prediction_name(candidate)] if is_prediction_file(candidate) else [])]
    if "model" in wildcards:
        system = System.parse(wildcards["model"])
        _require("model", [system.model], names, where)
        try:
            system.validate()
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error


@cache
def _available_datasets() -> list[str]:
    return [f"{name}{size}" for name in synths.available() for size in synths.load(name).sets]


def _remedy(error: jsonschema.ValidationError) -> str:
    """Say how to correct a value that the schema refuses, where its message does not."""
    value, keyword = error.instance, error.validator
    if keyword == "additionalProperties":
        return f"; known keys: {', '.join(error.schema['properties'])}"
    if "propertyNames" in error.absolute_schema_path:
        return "; expected a name of lower-case letters, digits and _ that is not that of another folder of results"
    expected = error.validator_value if keyword == "type" else []
    types = [expected] if isinstance(expected, str) else expected
    if "array" in types and isinstance(value, str):
        return f": write a list, [{value}]"
    if types == ["string"] and isinstance(value, (int, float)):
        return f": write it in quotes, '{value}'; on the command line \"{error.absolute_path[-1]}='{value}'\""
    if "number" in types and isinstance(value, float):
        return ": expected a finite number"
    if {"number", "integer"} & set(types) and isinstance(value, str):
        number = _number(value)
        return "" if number is None else f": YAML reads it as text; write {number}, without quotes"
    return f": write {value:.0f}" if "integer" in types and _is_number(None, value) and value % 1 == 0 else ""


def _number(text: str) -> str | None:
    """Write a number so that YAML reads it as one; None if the text is no number."""
    try:
        number = float(text)
    except ValueError:
        return None
    number = int(number) if number.is_integer() and "e" not in text.lower() else number
    return yaml.safe_dump(number).split()[0]


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
        if not re.fullmatch("[a-z0-9_]+", candidate):
            raise ValueError(
                f"config: candidate: {candidate!r} is neither a model nor a file of predictions, whose name ends in "
                f"{', '.join(PREDICTION_SUFFIXES)}"
            )
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


def _require(kind: str, names: list[str], known: list[str], where: str = "config") -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{where}: unknown {kind} {name!r}, expected one of: {', '.join(known)}")
