"""Comparisons that answer whether flows help, from the scores of the fixed baselines.

The two systems of each comparison are fixed here, independently of the scores. The exception is "the best" of a kind,
which is selected by the same scores and may be slightly optimistic.
"""

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from flowsynth.core.seeding import derive_seed
from flowsynth.evaluation.score_tables import systems
from flowsynth.evaluation.statistics import bootstrap_medians, compare, interval, paired_scores
from flowsynth.evaluation.summary import change, number, to_markdown
from flowsynth.metrics import PRIMARY_METRIC, registry

NEAREST = "nearest"
NEAREST_HUMAN = "nearest_people"
RENDER_BUDGET = 16  # renderings per target sound
POINTS = ("mlp", "cnn", "resnet", "ae", "vae", "wae")  # the paper's point estimators: regression without a flow
FLOWS = ("flow_reg", "flow_cond", "flow_dis", "npe_nsf")  # normalising flows trained by likelihood
MEDIAN = "spectral_convergence"  # compared by its median, as few quiet targets dominate its mean
ABOUT = (
    "Each row compares two systems by log-mel L1; lower is better. A cell gives both values, the relative difference, "
    "and in brackets the 95 % interval of the difference. *Best of 16*: 16 samples are rendered, and the one closest to "
    "the target counts."
)
POINT = "the best of the paper's models without a flow"
BEST = f"The best flow, best of {RENDER_BUDGET} samples"
LEADER = f"The best system with {RENDER_BUDGET} renderings"
LIKELIHOOD = "The paper's flow trained by likelihood, and by the published objective"
ONE_SAMPLE = f"The best flow by one sample, and {POINT}"
BEST_POINT = f"{BEST}, and {POINT}"
BEST_MIXTURE = f"{BEST}, and a mixture of Gaussians, best of {RENDER_BUDGET}"
BEST_MATCHING = f"{BEST}, and flow matching, best of {RENDER_BUDGET}"
BEST_NEAREST = f"{BEST}, and the nearest training preset, synthetic ones too"
BEST_HUMAN = f"{BEST}, and the nearest human-designed training preset"
LEADER_FLOW = f"{LEADER}, and the best flow, best of {RENDER_BUDGET} samples"
LEADER_CONTROL = f"{LEADER}, and the best control with as many"
LEADER_NEAREST = f"{LEADER}, and the nearest training preset, synthetic ones too"
LEADER_HUMAN = f"{LEADER}, and the nearest human-designed training preset"
LEADER_POINT = f"{LEADER}, and {POINT}"
# questions asked again for longer trainings
FLOW_QUESTIONS = (LIKELIHOOD, ONE_SAMPLE, BEST_POINT, BEST_MIXTURE, BEST_MATCHING, BEST_NEAREST, BEST_HUMAN)


def answer_questions(scores: pd.DataFrame, seed: int) -> dict[str, str]:
    """Answer all questions from scores.

    Args:
        scores: Scores of all items, one sample an item.
        seed: Seed of the bootstrap.

    Returns:
        Answers by question, empty where a system of the comparison is missing.
    """
    primary = scores[scores["metric"] == PRIMARY_METRIC]
    values = paired_scores(primary, PRIMARY_METRIC).drop(columns="oracle", errors="ignore")
    means = values.groupby(level="fold").mean().mean()
    known = set(means.index)
    answers: dict[str, str] = {}
    comparisons: dict[str, pd.DataFrame] = {}
    equal = _with_render_budget(scores)
    leader = _best(means, equal.index[~equal])
    for question, first, second in _questions(means, leader, _best(means, equal.index[equal])):
        answers[question] = ""
        if first and second and {first, second} <= known and first != second:
            if first not in comparisons:
                comparisons[first] = compare(primary, seed, first).set_index("second")
            answers[question] = _difference(comparisons[first].loc[second], first, second, means)
    points = [name for name in POINTS if name in means]
    answers[f"{LEADER_POINT} by the median of {registry()[MEDIAN].label.lower()}"] = (
        _medians(scores, leader, points, seed) if leader and points else ""
    )
    return answers


def answer_flow_questions(scores: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Answer `FLOW_QUESTIONS`: columns question and answer, one row for each question that has an answer."""
    answers = answer_questions(scores, seed)
    return pd.DataFrame([(q, answers[q]) for q in FLOW_QUESTIONS if answers[q]], columns=["question", "answer"])


def markdown(answers: Mapping[str, Mapping[str, str]]) -> str:
    """Format answers by campaign and question as a table, one row for each question that has an answer."""
    table = pd.DataFrame(answers).fillna("")
    table = table[table.ne("").any(axis=1)]
    return f"{ABOUT}\n\n{to_markdown(table.rename_axis('Compared').reset_index())}" if len(table) else ""


def _questions(
    means: pd.Series, leader: str | None, control: str | None
) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield each question with the two systems compared; None where there is no such system.

    Args:
        means: Mean score of each system.
        leader: The best system with `RENDER_BUDGET` renderings that is not a control.
        control: The best control with as many.
    """
    flow, flow16 = _best(means, FLOWS), _best(means, [f"{name}_best{RENDER_BUDGET}" for name in FLOWS])
    point = _best(means, POINTS)
    yield LIKELIHOOD, "flow_reg", "flow_reg_published"
    yield ONE_SAMPLE, flow, point
    yield BEST_POINT, flow16, point
    yield BEST_MIXTURE, flow16, f"mdn_best{RENDER_BUDGET}"
    yield BEST_MATCHING, flow16, f"flow_matching_best{RENDER_BUDGET}"
    yield BEST_NEAREST, flow16, NEAREST
    yield BEST_HUMAN, flow16, NEAREST_HUMAN
    yield LEADER_FLOW, leader, flow16
    yield LEADER_CONTROL, leader, control
    yield LEADER_NEAREST, leader, NEAREST
    yield LEADER_HUMAN, leader, NEAREST_HUMAN
    yield LEADER_POINT, leader, point


def _with_render_budget(scores: pd.DataFrame) -> pd.Series:
    """Return whether each system with `RENDER_BUDGET` renderings is a control."""
    table = systems(scores)
    return table.loc[table["renderings"] == RENDER_BUDGET, "is_control"].astype(bool)


def _best(means: pd.Series, names: Iterable[str]) -> str | None:
    candidates = [name for name in names if name in means]
    return str(means[candidates].idxmin()) if candidates else None


def _difference(row: pd.Series, first: str, second: str, means: pd.Series) -> str:
    """Describe how two systems differ in log-mel L1, from a row of `flowsynth.evaluation.statistics.compare`."""
    verdict = ("better" if row["mean_difference"] < 0 else "worse") if row["differ"] else "no difference"
    interval_alone = not row["differ"] and (row["low"] > 0 or row["high"] < 0)
    but = f", but p = {number(row['p_holm'])} by Wilcoxon's test" if interval_alone else ""
    return (
        f"**{verdict}**: `{first}` {number(means[first])}, `{second}` {number(means[second])}, "
        f"{change(means[first] / means[second] - 1)} ({number(row['low'])} to {number(row['high'])}{but})"
    )


def _medians(scores: pd.DataFrame, first: str, others: list[str], seed: int) -> str:
    """Describe the difference in the median of spectral convergence between a system and the best of others."""
    values = paired_scores(scores, MEDIAN)
    medians = values.median()
    second = str(medians[others].idxmin())
    samples = pd.DataFrame(bootstrap_medians(values, derive_seed(seed, "medians")), columns=values.columns)
    low, high = interval(samples[first] - samples[second])
    verdict = "better" if high < 0 else "worse" if low > 0 else "no difference"
    return (
        f"**{verdict}**: `{first}` {number(medians[first])}, `{second}` {number(medians[second])} "
        f"({number(low)} to {number(high)})"
    )
