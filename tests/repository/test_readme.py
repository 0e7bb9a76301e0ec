"""The README agrees with the published results, and the commands and paths it names exist."""

import json
import re
import runpy
from pathlib import Path

import pandas as pd
import pytest

from flowsynth.synths.spec import load

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "results" / "published"
README = (ROOT / "README.md").read_text()
GENERATOR = runpy.run_path(str(ROOT / "workflow" / "readme.py"))


@pytest.mark.slow
def test_generated_parts_are_up_to_date():
    assert GENERATOR["current_readme"]() == README, "run: .venv/bin/python workflow/readme.py"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.3, "less evenly"), (-0.3, -0.1, "more evenly"), (-0.1, 0.3, "not significantly more evenly")],
)
def test_insignificant_differences_are_reported_as_such(low: float, high: float, verdict: str):
    tables = {name: pd.read_csv(PUBLISHED / f"{name}.csv") for name in ("outside", "smoothness")}
    uneven = tables["smoothness"]["measure"] == "unevenness"
    tables["smoothness"].loc[uneven, ["low", "high", "difference"]] = low, high, (low + high) / 2
    assert f" and {verdict} (unevenness " in GENERATOR["findings"](**tables)


def test_published_scores_name_a_commit():
    makers = list(PUBLISHED.glob("*.json"))
    assert len(makers) >= 5
    for path in makers:
        assert re.fullmatch("[0-9a-f]{40}", json.loads(path.read_text())["commit"])


def test_published_scores_cover_all_default_models():
    import yaml

    models = yaml.safe_load((ROOT / "config.yaml").read_text())["models"]
    table = pd.read_csv(PUBLISHED / "scores.csv")
    assert list(table["model"].unique()) == models


def test_set_of_16_parameters_is_the_top_of_the_ranking():
    ranked = pd.read_csv(PUBLISHED / "parameter_choice.csv")
    assert set(load("amsynth").sets[16]) == set(ranked["parameter"][:16])


def test_named_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z]+)`", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_named_paths_exist():
    paths = set(re.findall(r"`((?:flowsynth|workflow|tests|envs|bench)/[A-Za-z0-9_./]*)`", README))
    assert paths
    missing = [name for name in paths if "NAME" not in name and not (ROOT / name).exists()]
    assert missing == []
