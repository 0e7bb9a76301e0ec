"""The README shows what was measured, and its commands exist."""

import json
import re
import runpy
from pathlib import Path

import pandas as pd
import pytest

from flowsynth import leaderboard
from flowsynth.flow_question import (
    BEST_MATCHING,
    BEST_MIXTURE,
    BEST_POINT,
    BEST_RIVAL,
    HEARD,
    LEADER_FLOW,
    LEADER_PEOPLE,
    LEADER_RIVAL,
    LIKELIHOOD,
    ONE_DRAW,
    answers,
)
from flowsynth.frozen import MANIFEST
from flowsynth.metrics import JUDGE
from flowsynth.statistics import paired
from flowsynth.synths import load
from flowsynth.systems import renderings

ROOT = Path(__file__).resolve().parents[2]
BASELINES = ROOT / "results" / "baselines"
README = (ROOT / "README.md").read_text()
MAKING = runpy.run_path(str(ROOT / "workflow" / "readme.py"))


def test_tables_and_findings_are_those_of_the_published_scores_and_of_the_baselines():
    assert MAKING["current"]() == README, "run: .venv/bin/python workflow/readme.py"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.1, 0.3, "less evenly"), (-0.3, -0.1, "more evenly"), (-0.1, 0.3, "not measurably more evenly")],
)
def test_a_difference_within_the_noise_is_no_finding(low: float, high: float, said: str):
    tables = {name: pd.read_csv(ROOT / "results" / "published" / f"{name}.csv") for name in ("outside", "smoothness")}
    uneven = tables["smoothness"]["measure"] == "unevenness"
    tables["smoothness"].loc[uneven, ["low", "high", "difference"]] = low, high, (low + high) / 2
    assert f" and {said} (unevenness " in MAKING["findings"](**tables)


def test_what_the_readme_opens_with_on_flows_is_what_the_baselines_say():
    found = {path.parent.name: leaderboard.read(path.parent) for path in sorted(BASELINES.glob(f"*/{MANIFEST}"))}
    assert found
    for name, (scores, made) in found.items():
        said = {question: answer.split("**")[1] for question, answer in answers(scores, made["seed"]).items() if answer}
        for question in (LIKELIHOOD, ONE_DRAW):
            assert said[question] != "better", name
        for question in (BEST_POINT, BEST_MIXTURE, BEST_MATCHING):
            assert said[question] == "better", name
        assert said[BEST_RIVAL] == "worse", name
        for question in (LEADER_FLOW, LEADER_RIVAL, LEADER_PEOPLE):
            assert said[question] == "better", name
        means = paired(scores, JUDGE).groupby(level="fold").mean().mean()
        listening = means[[renderings(system) == HEARD for system in means.index]]
        assert listening.idxmin() == "proxy_corrected16"
        assert listening.min() < means["nearest_people"] / 2
        assert listening.min() < means["nearest"] * 3 / 5


def test_the_published_scores_name_a_commit():
    makers = list((ROOT / "results" / "published").glob("*.json"))
    assert len(makers) >= 5
    for path in makers:
        made = json.loads(path.read_text())
        assert re.fullmatch("[0-9a-f]{40}", made["commit"])


def test_the_published_table_has_every_model_of_the_default_configuration():
    import yaml

    models = yaml.safe_load((ROOT / "config.yaml").read_text())["models"]
    table = pd.read_csv(ROOT / "results" / "published" / "scores.csv")
    assert list(table["model"].unique()) == models


def test_the_set_of_16_parameters_is_the_one_that_was_chosen():
    ranked = pd.read_csv(ROOT / "results" / "published" / "parameter_choice.csv")
    assert set(load("amsynth").sets[16]) == set(ranked["parameter"][:16])


def test_every_make_target_named_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z]+)`", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_path_named_exists():
    named = set(re.findall(r"`((?:flowsynth|workflow|tests|envs|bench)/[A-Za-z0-9_./]*)`", README))
    assert named
    missing = [name for name in named if "NAME" not in name and not (ROOT / name).exists()]
    assert missing == []
