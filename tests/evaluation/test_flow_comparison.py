"""Answers to the questions about flows."""

import re
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from scored import SYSTEMS, scores

from flowsynth.evaluation import statistics
from flowsynth.evaluation.flow_comparison import (
    BEST_HUMAN,
    BEST_MATCHING,
    BEST_MIXTURE,
    BEST_NEAREST,
    BEST_POINT,
    LEADER_CONTROL,
    LEADER_FLOW,
    LEADER_HUMAN,
    LEADER_NEAREST,
    LEADER_POINT,
    LIKELIHOOD,
    ONE_SAMPLE,
    answer_flow_questions,
    answer_questions,
    markdown,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def few_resamples() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "RESAMPLES", 500)
        yield


@cache
def _answers(systems: tuple[tuple[str, float], ...]) -> dict[str, str]:
    return answer_questions(scores(dict(systems)), 1)


def answers_for(systems: dict[str, float]) -> dict[str, str]:
    """Compare systems with given differences; each comparison resamples for some seconds, so it is made once."""
    return _answers(tuple(systems.items()))


def test_verdicts_are_better_worse_or_no_difference():
    answers = answers_for(SYSTEMS)
    missing = [BEST_MATCHING, BEST_HUMAN, LEADER_CONTROL, LEADER_HUMAN]
    assert [question for question, answer in answers.items() if not answer] == missing
    assert re.match(r"\*\*no difference\*\*: `flow_reg` 0\.\d+, `flow_reg_published` 0\.\d+, ", answers[LIKELIHOOD])
    assert re.match(
        r"\*\*better\*\*: `npe_nsf` 0\.\d+, `cnn` 0\.\d+, -\d+% \(-0\.\d+ to -0\.\d+\)$", answers[ONE_SAMPLE]
    )
    assert answers[BEST_NEAREST].startswith("**better**: `npe_nsf_best16` ")
    worse = answer_questions(scores(SYSTEMS | {"npe_nsf": 0.6, "flow_reg": 0.7}), 1)
    assert worse[ONE_SAMPLE].startswith("**worse**: `npe_nsf` ")


@pytest.mark.parametrize(
    ("question", "second"),
    [
        (LEADER_FLOW, "npe_nsf_best16"),
        (LEADER_CONTROL, "nearest_refined16"),
        (LEADER_NEAREST, "nearest"),
        (LEADER_HUMAN, "nearest_people"),
        (LEADER_POINT, "cnn"),
    ],
)
def test_best_system_with_renderings_is_compared_with_the_others(question: str, second: str):
    others = {"nearest_people": 0.1, "npe_nsf_best16_refined64": -0.35, "npe_nsf_refined16": -0.25}
    others |= {"nearest_refined16": -0.1, "perturbed_best16": 0.2}
    systems = SYSTEMS | others | {"proxy_corrected16": -0.3}
    answers = answers_for(systems)
    best = answers[question]
    assert best.startswith("**better**: `proxy_corrected16` 0.")
    assert f", `{second}` 0." in best
    assert answers[BEST_POINT].startswith("**better**: `npe_nsf_best16` ")
    assert re.match(r"\*\*better\*\*: `npe_nsf_best16` 0\.\d+, `nearest_people` 0\.\d+, ", answers[BEST_HUMAN])


def test_a_control_is_never_the_best_system():
    answers = answers_for(SYSTEMS | {"nearest_refined16": -0.4})
    assert answers[LEADER_CONTROL].startswith("**worse**: `proxy_best16` 0.")


def test_median_is_compared_with_the_model_of_the_best_median():
    table = scores(SYSTEMS)
    table.loc[(table["model"] == "mlp") & (table["metric"] == "spectral_convergence"), "value"] -= 0.2
    answer = answer_questions(table, 1)[f"{LEADER_POINT} by the median of spectral convergence"]
    assert re.match(r"\*\*better\*\*: `proxy_best16` 0\.\d+, `mlp` 0\.\d+ \(-0\.\d+ to -0\.\d+\)$", answer)


def test_disagreement_of_interval_and_ranks_is_reported():
    """A tenth of the sounds is far worse, and most are a little better."""
    table = scores({"nearest": 0.0, "flow_reg_published": 0.5, "flow_reg": 0.5}, noise=0)
    rows = table["model"] == "flow_reg"
    share = table.loc[rows, "item"].astype(int) % 10
    table.loc[rows, "value"] += np.select([share == 0, share < 4], [1.0, 0.05], -0.05)
    answer = answer_questions(table, 1)[LIKELIHOOD]
    assert answer.startswith("**no difference**: ")
    assert re.search(r"\+\d+% \(0\.\d+ to 0\.\d+, but p = 0\.\d+ by Wilcoxon's test\)$", answer)
    assert ", but p" not in answers_for(SYSTEMS)[LIKELIHOOD]


def test_relative_difference_that_rounds_to_zero_has_no_sign():
    answers = answer_questions(scores({"nearest": 0.0, "flow_reg": 0.5, "flow_reg_published": 0.501}, noise=1e-4), 1)
    assert ", 0% (" in answers[LIKELIHOOD]


def test_longer_trainings_answer_the_questions_about_flows():
    table = answer_flow_questions(scores(SYSTEMS), 1)
    assert table["question"].tolist() == [LIKELIHOOD, ONE_SAMPLE, BEST_POINT, BEST_MIXTURE, BEST_NEAREST]
    assert table.set_index("question").loc[ONE_SAMPLE, "answer"].startswith("**better**: `npe_nsf` ")
    answers = dict(zip(table["question"], table["answer"], strict=True))
    text = markdown({"amsynth16": answers_for(SYSTEMS), "amsynth16, 64 epochs": answers})
    head, *_ = text.split("\n\n")[1].split("\n")
    assert [cell.strip() for cell in head.strip("|").split("|")] == ["Compared", "amsynth16", "amsynth16, 64 epochs"]


def test_too_few_systems_give_no_answer():
    answers = answer_questions(scores({"oracle": 0, "nearest": 0, "cnn": 0.1}), 1)
    assert not any(answers.values())
    assert markdown({"amsynth16": answers}) == ""


def test_question_answered_by_one_data_set_has_a_row():
    table = markdown({"a": {"First": "1", "None": "", "Third": "3"}, "b": {"First": "", "None": "", "Third": "6"}})
    lines = [re.sub(" +", " ", line) for line in table.splitlines() if line.startswith("| ")]
    assert lines == ["| Compared | a | b |", "| First | 1 | |", "| Third | 3 | 6 |"]
