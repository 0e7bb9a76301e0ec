"""The README shows what was measured, and its commands exist."""

import json
import re
import runpy
from pathlib import Path

import pandas as pd
import pytest

from flowsynth.evaluation.flow_comparison import (
    BEST_HUMAN,
    BEST_MATCHING,
    BEST_MIXTURE,
    BEST_NEAREST,
    BEST_POINT,
    LEADER_FLOW,
    LEADER_HUMAN,
    LEADER_NEAREST,
    LIKELIHOOD,
    ONE_DRAW,
    POINTS,
    RENDER_BUDGET,
    answer_questions,
)
from flowsynth.evaluation.statistics import paired_scores
from flowsynth.leaderboard import standings
from flowsynth.leaderboard.manifest import MANIFEST
from flowsynth.metrics import PRIMARY_METRIC
from flowsynth.models.registry import render_count
from flowsynth.synths.spec import load

ROOT = Path(__file__).resolve().parents[2]
BASELINES = ROOT / "results" / "baselines"
PUBLISHED = ROOT / "results" / "published"
README = (ROOT / "README.md").read_text()
MAKING = runpy.run_path(str(ROOT / "workflow" / "readme.py"))


def test_tables_and_findings_are_those_of_the_published_scores_and_of_the_baselines():
    assert MAKING["current"]() == README, "run: .venv/bin/python workflow/readme.py"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.1, 0.3, "less evenly"), (-0.3, -0.1, "more evenly"), (-0.1, 0.3, "not measurably more evenly")],
)
def test_a_difference_within_the_noise_is_no_finding(low: float, high: float, said: str):
    tables = {name: pd.read_csv(PUBLISHED / f"{name}.csv") for name in ("outside", "smoothness")}
    uneven = tables["smoothness"]["measure"] == "unevenness"
    tables["smoothness"].loc[uneven, ["low", "high", "difference"]] = low, high, (low + high) / 2
    assert f" and {said} (unevenness " in MAKING["findings"](**tables)


def test_what_the_readme_says_of_flows_is_what_the_baselines_say():
    text = " ".join(README.split("## Do flows help?")[1].split("<!--")[0].split())
    for words in (
        "After eight times as long a training, on amsynth16, one draw of `npe_nsf` is a quarter closer than the regression",
        "the best of 16 is closer than the mixture's, flow matching's, and `nearest` too.",
        "A draw of the paper's own flow by likelihood comes no closer by it,",
        "and is further off than one by the published objective,",
        "which comes a fifth closer than it was, but not as close as the regression.",
        "`proxy` is a sixth closer than `nearest`",
        "`proxy_corrected16` is more than two fifths closer",
        "brings `nearest` less than a twentieth",
        "less than half as far from the sound as the nearest of the presets that people made",
        "without them the same system is a quarter closer than that nearest one",
    ):
        assert words in text
    found = {path.parent.name: standings.read(path.parent) for path in sorted(BASELINES.glob(f"*/{MANIFEST}"))}
    assert found
    for name, (scores, made) in found.items():
        answers = answer_questions(scores, made["seed"])
        said = {question: answer.split("**")[1] for question, answer in answers.items() if answer}
        for question in (LIKELIHOOD, ONE_DRAW):
            assert said[question] != "better", name
        for question in (
            BEST_POINT,
            BEST_MIXTURE,
            BEST_MATCHING,
            BEST_HUMAN,
            LEADER_FLOW,
            LEADER_NEAREST,
            LEADER_HUMAN,
        ):
            assert said[question] == "better", name
        assert said[BEST_NEAREST] == "worse", name
        means = paired_scores(scores, PRIMARY_METRIC).groupby(level="fold").mean().mean()
        of_16 = means[["flow_reg_best16", "npe_nsf_best16", "mdn_best16", "flow_matching_best16"]]
        assert of_16.max() < means[list(POINTS)].min()
        assert means["flow_reg"] > means[list(POINTS)].min()
        assert (abs(of_16["flow_reg_best16"] / of_16[["mdn_best16", "flow_matching_best16"]] - 1) < 0.05).all()
        listening = means[[render_count(system) == RENDER_BUDGET for system in means.index]]
        assert listening.idxmin() == "proxy_corrected16"
        shares = means / means["nearest"]
        assert shares["proxy"] < 5 / 6
        assert shares["proxy_corrected16"] < 3 / 5
        assert shares["nearest_refined16"] > 19 / 20
        assert means["proxy_corrected16"] < means["nearest_people"] / 2
    without = judged("amount", 0)
    assert 0.7 < without["proxy_corrected16"] / without["nearest"] < 0.8
    longer = pd.read_csv(PUBLISHED / "flow_question.csv").set_index("question")["answer"]
    for question in (ONE_DRAW, BEST_POINT, BEST_MIXTURE, BEST_MATCHING, BEST_NEAREST):
        assert longer[question].startswith("**better**"), question
    assert longer[LIKELIHOOD].startswith("**worse**")
    before, after = judged("epochs", 8), judged("epochs", 64)
    assert 0.7 < after["npe_nsf"] / after[["mlp", "cnn"]].min() < 0.8
    assert after["flow_reg"] > before["flow_reg"]
    assert 0.77 < after["flow_reg_published"] / before["flow_reg_published"] < 0.83
    assert after["flow_reg_published"] > after[["mlp", "cnn"]].min()


def judged(name: str, given: int) -> pd.Series:
    """Means of the systems of a published table of amounts."""
    table = pd.read_csv(PUBLISHED / f"{name}.csv")
    return table[(table["amount"] == given) & (table["metric"] == PRIMARY_METRIC)].set_index("model")["mean"]


def test_the_published_scores_name_a_commit():
    makers = list(PUBLISHED.glob("*.json"))
    assert len(makers) >= 5
    for path in makers:
        made = json.loads(path.read_text())
        assert re.fullmatch("[0-9a-f]{40}", made["commit"])


def test_the_published_table_has_every_model_of_the_default_configuration():
    import yaml

    models = yaml.safe_load((ROOT / "config.yaml").read_text())["models"]
    table = pd.read_csv(PUBLISHED / "scores.csv")
    assert list(table["model"].unique()) == models


def test_the_set_of_16_parameters_is_the_one_that_was_chosen():
    ranked = pd.read_csv(PUBLISHED / "parameter_choice.csv")
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
