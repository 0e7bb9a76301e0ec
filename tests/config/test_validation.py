"""Validation of the configuration: keys that were renamed."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowsynth.config.validation import check

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"


@pytest.fixture
def config() -> dict[str, Any]:
    return copy.deepcopy(yaml.safe_load((ROOT / "config.yaml").read_text()))


def test_the_configuration_is_valid(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    check(config, SCHEMA)


def test_one_error_lists_all_renamed_keys(config: dict[str, Any]):
    budgets = {name: dict(config["budgets"][name]) for name in ("quick", "cpu", "paper")}
    for name in ("quick", "cpu"):
        budget = budgets[name]
        budget["sampled"], budget["in_memory"] = budget.pop("synthetic_presets"), budget.pop("cache_items")
        del budget["out_of_domain"]
        budget["outside"] = {"sounds": 16, "searched": 3, "renders": 100}
    old = {key: value for key, value in config.items() if key not in ("display_model", "out_of_domain")}
    old |= {"shown": "vae", "outside": {}, "budgets": budgets}
    with pytest.raises(ValueError) as error:
        check(old, SCHEMA)
    assert str(error.value).splitlines()[1:] == [
        "config.shown is now display_model",
        "config.outside is now out_of_domain",
        "config.budgets.*.sampled is now synthetic_presets (in quick, cpu)",
        "config.budgets.*.in_memory is now cache_items (in quick, cpu)",
        "config.budgets.*.outside is now out_of_domain (in quick, cpu)",
        "config.budgets.*.out_of_domain.searched is now search_items (in quick, cpu)",
        "config.budgets.*.out_of_domain.renders is now render_budget (in quick, cpu)",
    ]


def test_old_key_on_the_command_line_is_refused(config: dict[str, Any]):
    with pytest.raises(ValueError, match=r"config\.shown is now display_model"):
        check(config | {"shown": "vae"}, SCHEMA)


def test_collections_may_have_the_name_of_an_old_key(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    check(config | {"out_of_domain": {"sampled": {"kind": "hums"}, "outside": {"kind": "hums"}}}, SCHEMA)


def test_malformed_budgets_are_left_to_the_schema(config: dict[str, Any]):
    with pytest.raises(ValueError, match=r"config\.budgets\.quick: 3 is not of type 'object'"):
        check(config | {"budgets": {"quick": 3}}, SCHEMA)
