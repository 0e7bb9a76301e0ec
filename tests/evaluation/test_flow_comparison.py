"""What is said of flows."""

import re

import numpy as np
import pytest
from scored import SYSTEMS, scores

from flowsynth.evaluation.flow_comparison import (
    BEST_MATCHING,
    BEST_MIXTURE,
    BEST_PEOPLE,
    BEST_POINT,
    BEST_RIVAL,
    LEADER_FLOW,
    LEADER_PEOPLE,
    LEADER_POINT,
    LEADER_RIVAL,
    LIKELIHOOD,
    ONE_DRAW,
    answers,
    markdown,
    of_flows,
)


def test_what_differs_is_told_from_what_does_not():
    said = answers(scores(SYSTEMS), 1)
    assert [question for question, answer in said.items() if not answer] == [BEST_MATCHING, BEST_PEOPLE, LEADER_PEOPLE]
    assert re.match(r"\*\*no difference\*\*: `flow_reg` 0\.\d+, `flow_reg_published` 0\.\d+, ", said[LIKELIHOOD])
    assert re.match(r"\*\*better\*\*: `npe_nsf` 0\.\d+, `cnn` 0\.\d+, -\d+% \(-0\.\d+ to -0\.\d+\)$", said[ONE_DRAW])
    assert said[BEST_RIVAL].startswith("**better**: `npe_nsf_best16` ")
    worse = answers(scores(SYSTEMS | {"npe_nsf": 0.6, "flow_reg": 0.7}), 1)
    assert worse[ONE_DRAW].startswith("**worse**: `npe_nsf` ")


@pytest.mark.parametrize(
    ("question", "second"),
    [
        (LEADER_FLOW, "npe_nsf_best16"),
        (LEADER_RIVAL, "nearest"),
        (LEADER_PEOPLE, "nearest_people"),
        (LEADER_POINT, "cnn"),
    ],
)
def test_the_best_that_listens_is_held_against_all_others(question: str, second: str):
    others = {"nearest_people": 0.1, "npe_nsf_best16_refined64": -0.35, "npe_nsf_refined16": -0.25}
    given = SYSTEMS | others | {"proxy_corrected16": -0.3}
    said = answers(scores(given), 1)
    best = said[question]
    assert best.startswith("**better**: `proxy_corrected16` 0.")
    assert f", `{second}` 0." in best
    assert said[BEST_POINT].startswith("**better**: `npe_nsf_best16` ")
    assert re.match(r"\*\*better\*\*: `npe_nsf_best16` 0\.\d+, `nearest_people` 0\.\d+, ", said[BEST_PEOPLE])


def test_the_median_is_that_of_the_model_which_is_best_by_it():
    given = scores(SYSTEMS)
    given.loc[(given["model"] == "mlp") & (given["metric"] == "spectral_convergence"), "value"] -= 0.2
    said = answers(given, 1)[f"{LEADER_POINT} by the median of spectral convergence"]
    assert re.match(r"\*\*better\*\*: `proxy_best16` 0\.\d+, `mlp` 0\.\d+ \(-0\.\d+ to -0\.\d+\)$", said)


def test_where_interval_and_ranks_do_not_agree_it_is_said():
    """A tenth of the sounds is far worse, and most are a little better."""
    given = scores({"nearest": 0.0, "flow_reg_published": 0.5, "flow_reg": 0.5}, noise=0)
    of = given["model"] == "flow_reg"
    share = given.loc[of, "item"].astype(int) % 10
    given.loc[of, "value"] += np.select([share == 0, share < 4], [1.0, 0.05], -0.05)
    said = answers(given, 1)[LIKELIHOOD]
    assert said.startswith("**no difference**: ")
    assert re.search(r"\+\d+% \(0\.\d+ to 0\.\d+, but p = 0\.\d+ by Wilcoxon's test\)$", said)
    assert ", but p" not in answers(scores(SYSTEMS), 1)[LIKELIHOOD]


def test_what_rounds_to_nothing_has_no_sign():
    said = answers(scores({"nearest": 0.0, "flow_reg": 0.5, "flow_reg_published": 0.501}, noise=1e-4), 1)
    assert ", 0% (" in said[LIKELIHOOD]


def test_of_longer_trainings_it_is_asked_what_is_of_flows():
    table = of_flows(scores(SYSTEMS), 1)
    assert table["question"].tolist() == [LIKELIHOOD, ONE_DRAW, BEST_POINT, BEST_MIXTURE, BEST_RIVAL]
    assert table.set_index("question").loc[ONE_DRAW, "answer"].startswith("**better**: `npe_nsf` ")
    said = dict(zip(table["question"], table["answer"], strict=True))
    head, *_ = (
        markdown({"amsynth16": answers(scores(SYSTEMS), 1), "amsynth16, 64 epochs": said}).split("\n\n")[1].split("\n")
    )
    assert [cell.strip() for cell in head.strip("|").split("|")] == ["Compared", "amsynth16", "amsynth16, 64 epochs"]


def test_few_systems_answer_nothing():
    said = answers(scores({"oracle": 0, "nearest": 0, "cnn": 0.1}), 1)
    assert not any(said.values())
    assert markdown({"amsynth16": said}) == ""


def test_a_question_that_one_data_set_answers_has_its_row():
    table = markdown({"a": {"First": "1", "None": "", "Third": "3"}, "b": {"First": "", "None": "", "Third": "6"}})
    lines = [re.sub(" +", " ", line) for line in table.splitlines() if line.startswith("| ")]
    assert lines == ["| Compared | a | b |", "| First | 1 | |", "| Third | 3 | 6 |"]
