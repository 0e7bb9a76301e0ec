"""Do flows help? What the scores of the fixed baselines answer.

Each answer is made from scores. Which two systems it compares is chosen here, before there are any scores, but for "the
best" of a kind, which is chosen by the same scores: it may owe a little to luck.
"""

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from flowsynth.metrics import JUDGE, registry
from flowsynth.seeds import derive_seed
from flowsynth.statistics import compare, interval, paired, resampled_medians
from flowsynth.systems import renderings
from flowsynth.tables import change, number, to_markdown

RIVAL = "nearest"
HEARD = 16  # renderings that a system may listen to
POINTS = ("mlp", "cnn", "resnet", "ae", "vae", "wae")  # of the paper: one answer, by regression, and no flow
FLOWS = ("flow_reg", "flow_cond", "flow_dis", "npe_nsf")  # normalising flows that are trained by likelihood
MEDIAN = "spectral_convergence"  # few quiet targets make its mean
ABOUT = (
    "The first of each two is better if its log-mel L1 is lower: both values, by how much they differ, and the 95 % interval "
    "of the difference. *Of 16*: the best of 16 draws, the one that sounds closest."
)


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
    measure = registry()[MEDIAN].label.lower()
    said[f"The same system, and the best of those by the median of {measure}"] = (
        _medians(scores, leader, points, seed) if leader and points else ""
    )
    return said


def markdown(answered: Mapping[str, Mapping[str, str]]) -> str:
    """Put answers by data set and question into a table, a row for each question that has one."""
    table = pd.DataFrame(answered)
    table = table[table.ne("").any(axis=1)]
    return f"{ABOUT}\n\n{to_markdown(table.rename_axis('Compared').reset_index())}" if len(table) else ""


def _questions(means: pd.Series) -> Iterator[tuple[str, str | None, str | None]]:
    """What is asked, and the two systems that answer it; None where there is no such system."""
    flow, flow16 = _best(means, FLOWS), _best(means, [f"{name}_best{HEARD}" for name in FLOWS])
    point, leader = _best(means, POINTS), _best(means, _listening(means))
    yield "The paper's flow trained by likelihood, and by the published objective", "flow_reg", "flow_reg_published"
    yield "The best flow by one draw, and the best of the paper's models without a flow", flow, point
    yield f"The best flow of {HEARD}, and the best of the paper's models without a flow", flow16, point
    yield f"The best flow of {HEARD}, and a mixture of Gaussians of {HEARD}", flow16, f"mdn_best{HEARD}"
    yield f"The best flow of {HEARD}, and flow matching of {HEARD}", flow16, f"flow_matching_best{HEARD}"
    yield f"The best flow of {HEARD}, and the nearest training preset", flow16, RIVAL
    yield f"The best system with {HEARD} renderings, and the best flow of {HEARD}", leader, flow16
    yield f"The best system with {HEARD} renderings, and the nearest training preset", leader, RIVAL
    yield f"The best system with {HEARD} renderings, and the best of the paper's models without a flow", leader, point


def _listening(means: pd.Series) -> list[str]:
    return [str(name) for name in means.index if renderings(str(name)) == HEARD]


def _best(means: pd.Series, names: Iterable[str]) -> str | None:
    found = [name for name in names if name in means]
    return str(means[found].idxmin()) if found else None


def _difference(row: pd.Series, first: str, second: str, means: pd.Series) -> str:
    """Say how two systems differ in log-mel L1, given their row of `flowsynth.statistics.compare`."""
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
