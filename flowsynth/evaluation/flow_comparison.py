"""Do flows help? What the scores of the fixed baselines answer.

Each answer is made from scores. Which two systems it compares is chosen here, before there are any scores, but for "the
best" of a kind, which is chosen by the same scores: it may owe a little to luck.
"""

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from flowsynth.core.seeding import derive_seed
from flowsynth.evaluation.statistics import compare, interval, paired, resampled_medians
from flowsynth.evaluation.summary import change, number, to_markdown
from flowsynth.metrics import JUDGE, registry
from flowsynth.models.registry import render_count

RIVAL = "nearest"
PEOPLE = "nearest_people"
HEARD = 16  # renderings that a system may listen to
POINTS = ("mlp", "cnn", "resnet", "ae", "vae", "wae")  # of the paper: one answer, by regression, and no flow
FLOWS = ("flow_reg", "flow_cond", "flow_dis", "npe_nsf")  # normalising flows that are trained by likelihood
MEDIAN = "spectral_convergence"  # few quiet targets make its mean
ABOUT = (
    "Each row compares two systems; the lower log-mel L1 is the better one. Given are both values, the relative change, and "
    "in brackets the 95 % interval of the difference. *Best of 16*: 16 draws are rendered, and the one that sounds closest "
    "counts."
)
POINT = "the best of the paper's models without a flow"
BEST = f"The best flow, best of {HEARD} draws"
LEADER = f"The best system with {HEARD} renderings"
LIKELIHOOD = "The paper's flow trained by likelihood, and by the published objective"
ONE_DRAW = f"The best flow by one draw, and {POINT}"
BEST_POINT = f"{BEST}, and {POINT}"
BEST_MIXTURE = f"{BEST}, and a mixture of Gaussians, best of {HEARD}"
BEST_MATCHING = f"{BEST}, and flow matching, best of {HEARD}"
BEST_RIVAL = f"{BEST}, and the nearest training preset, drawn ones too"
BEST_PEOPLE = f"{BEST}, and the nearest of the training presets that people made"
LEADER_FLOW = f"{LEADER}, and the best flow, best of {HEARD} draws"
LEADER_RIVAL = f"{LEADER}, and the nearest training preset, drawn ones too"
LEADER_PEOPLE = f"{LEADER}, and the nearest of the training presets that people made"
LEADER_POINT = f"{LEADER}, and {POINT}"
# those that are asked again of longer trainings
OF_FLOWS = (LIKELIHOOD, ONE_DRAW, BEST_POINT, BEST_MIXTURE, BEST_MATCHING, BEST_RIVAL, BEST_PEOPLE)


def answers(scores: pd.DataFrame, seed: int) -> dict[str, str]:
    """Answer what the benchmark is there to settle.

    Args:
        scores: Of all items, one sample an item.
        seed: Of the bootstrap.

    Returns:
        Answers by question, empty where there are not the systems that it is about.
    """
    judged = scores[scores["metric"] == JUDGE]
    means = paired(judged, JUDGE).drop(columns="oracle", errors="ignore").groupby(level="fold").mean().mean()
    known = set(means.index)
    said: dict[str, str] = {}
    compared: dict[str, pd.DataFrame] = {}
    for question, first, second in _questions(means):
        said[question] = ""
        if first and second and {first, second} <= known and first != second:
            if first not in compared:
                compared[first] = compare(judged, seed, first).set_index("second")
            said[question] = _difference(compared[first].loc[second], first, second, means)
    leader, points = _best(means, _listening(means)), [name for name in POINTS if name in means]
    said[f"{LEADER_POINT} by the median of {registry()[MEDIAN].label.lower()}"] = (
        _medians(scores, leader, points, seed) if leader and points else ""
    )
    return said


def of_flows(scores: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Ask of scores what the benchmark is there to settle: the columns question and answer, a row for each that has one."""
    said = answers(scores, seed)
    return pd.DataFrame([(q, said[q]) for q in OF_FLOWS if said[q]], columns=["question", "answer"])


def markdown(answered: Mapping[str, Mapping[str, str]]) -> str:
    """Put answers by campaign and question into a table, a row for each question that has one."""
    table = pd.DataFrame(answered)
    table = table.fillna("")
    table = table[table.ne("").any(axis=1)]
    return f"{ABOUT}\n\n{to_markdown(table.rename_axis('Compared').reset_index())}" if len(table) else ""


def _questions(means: pd.Series) -> Iterator[tuple[str, str | None, str | None]]:
    """What is asked, and the two systems that answer it; None where there is no such system."""
    flow, flow16 = _best(means, FLOWS), _best(means, [f"{name}_best{HEARD}" for name in FLOWS])
    point, leader = _best(means, POINTS), _best(means, _listening(means))
    yield LIKELIHOOD, "flow_reg", "flow_reg_published"
    yield ONE_DRAW, flow, point
    yield BEST_POINT, flow16, point
    yield BEST_MIXTURE, flow16, f"mdn_best{HEARD}"
    yield BEST_MATCHING, flow16, f"flow_matching_best{HEARD}"
    yield BEST_RIVAL, flow16, RIVAL
    yield BEST_PEOPLE, flow16, PEOPLE
    yield LEADER_FLOW, leader, flow16
    yield LEADER_RIVAL, leader, RIVAL
    yield LEADER_PEOPLE, leader, PEOPLE
    yield LEADER_POINT, leader, point


def _listening(means: pd.Series) -> list[str]:
    return [str(name) for name in means.index if render_count(str(name)) == HEARD]


def _best(means: pd.Series, names: Iterable[str]) -> str | None:
    found = [name for name in names if name in means]
    return str(means[found].idxmin()) if found else None


def _difference(row: pd.Series, first: str, second: str, means: pd.Series) -> str:
    """Say how two systems differ in log-mel L1, given their row of `flowsynth.evaluation.statistics.compare`."""
    verdict = ("better" if row["mean_difference"] < 0 else "worse") if row["differ"] else "no difference"
    interval_alone = not row["differ"] and (row["low"] > 0 or row["high"] < 0)
    but = f", but p = {number(row['p_holm'])} by Wilcoxon's test" if interval_alone else ""
    return (
        f"**{verdict}**: `{first}` {number(means[first])}, `{second}` {number(means[second])}, "
        f"{change(means[first] / means[second] - 1)} ({number(row['low'])} to {number(row['high'])}{but})"
    )


def _medians(scores: pd.DataFrame, first: str, others: list[str], seed: int) -> str:
    """Say how a system differs from the best of others in the median of spectral convergence."""
    values = paired(scores, MEDIAN)
    medians = values.median()
    second = str(medians[others].idxmin())
    drawn = pd.DataFrame(resampled_medians(values, derive_seed(seed, "medians")), columns=values.columns)
    low, high = interval(drawn[first] - drawn[second])
    verdict = "better" if high < 0 else "worse" if low > 0 else "no difference"
    return (
        f"**{verdict}**: `{first}` {number(medians[first])}, `{second}` {number(medians[second])} "
        f"({number(low)} to {number(high)})"
    )
