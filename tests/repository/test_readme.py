"""The README agrees with the published results, and the commands and paths it names exist."""

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
from flowsynth.evaluation.score_tables import systems
from flowsynth.evaluation.statistics import paired_scores
from flowsynth.leaderboard import standings
from flowsynth.leaderboard.manifest import MANIFEST
from flowsynth.metrics import PRIMARY_METRIC
from flowsynth.synths.spec import load

ROOT = Path(__file__).resolve().parents[2]
BASELINES = ROOT / "results" / "baselines"
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


@pytest.mark.slow
def test_claims_about_flows_agree_with_the_baselines():
    text = " ".join(README.split("## Do flows help?")[1].split("<!--")[0].split())
    for claim in (
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
        assert claim in text
    manifests = sorted(BASELINES.glob(f"*/{MANIFEST}"))
    assert manifests
    for name, folder in {path.parent.name: path.parent for path in manifests}.items():
        scores, settings = standings.read_baselines(folder)
        answers = answer_questions(scores, settings["seed"])
        verdicts = {question: answer.split("**")[1] for question, answer in answers.items() if answer}
        for question in (LIKELIHOOD, ONE_DRAW):
            assert verdicts[question] != "better", name
        for question in (
            BEST_POINT,
            BEST_MIXTURE,
            BEST_MATCHING,
            BEST_HUMAN,
            LEADER_FLOW,
            LEADER_NEAREST,
            LEADER_HUMAN,
        ):
            assert verdicts[question] == "better", name
        assert verdicts[BEST_NEAREST] == "worse", name
        means = paired_scores(scores, PRIMARY_METRIC).groupby(level="fold").mean().mean()
        best_of_16 = means[["flow_reg_best16", "npe_nsf_best16", "mdn_best16", "flow_matching_best16"]]
        assert best_of_16.max() < means[list(POINTS)].min()
        assert means["flow_reg"] > means[list(POINTS)].min()
        others = best_of_16[["mdn_best16", "flow_matching_best16"]]
        assert (abs(best_of_16["flow_reg_best16"] / others - 1) < 0.05).all()
        rendering = means[systems(scores)["renderings"] == RENDER_BUDGET]
        assert rendering.idxmin() == "proxy_corrected16"
        shares = means / means["nearest"]
        assert shares["proxy"] < 5 / 6
        assert shares["proxy_corrected16"] < 3 / 5
        assert shares["nearest_refined16"] > 19 / 20
        assert means["proxy_corrected16"] < means["nearest_people"] / 2
    without = published_means("amount", 0)
    assert 0.7 < without["proxy_corrected16"] / without["nearest"] < 0.8
    longer = pd.read_csv(PUBLISHED / "flow_question.csv").set_index("question")["answer"]
    for question in (ONE_DRAW, BEST_POINT, BEST_MIXTURE, BEST_MATCHING, BEST_NEAREST):
        assert longer[question].startswith("**better**"), question
    assert longer[LIKELIHOOD].startswith("**worse**")
    before, after = published_means("epochs", 8), published_means("epochs", 64)
    assert 0.7 < after["npe_nsf"] / after[["mlp", "cnn"]].min() < 0.8
    assert after["flow_reg"] > before["flow_reg"]
    assert 0.77 < after["flow_reg_published"] / before["flow_reg_published"] < 0.83
    assert after["flow_reg_published"] > after[["mlp", "cnn"]].min()


def published_means(name: str, amount: int) -> pd.Series:
    """Read the mean of each system for one amount of a published table."""
    table = pd.read_csv(PUBLISHED / f"{name}.csv")
    return table[(table["amount"] == amount) & (table["metric"] == PRIMARY_METRIC)].set_index("model")["mean"]


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
