"""A candidate against fixed baselines: on every metric, by how much it differs, and whether that is more than luck.

References:
    `flowsynth.evaluation.statistics`: what is called a difference.
"""

from collections.abc import Collection
from typing import Literal

import pandas as pd

from flowsynth.evaluation.statistics import compare, paired_scores
from flowsynth.metrics import registry
from flowsynth.models.registry import render_count

Verdict = Literal["better", "worse", "no difference"]
COLUMNS = [
    "metric", "baseline", "items", "candidate_mean", "baseline_mean", "difference", "low", "high", "p_holm", "verdict",
    "baseline_renderings",
]  # fmt: skip
FROZEN = " (frozen)"  # behind the name of a baseline that the candidate is another version of
SHOWN = 3  # sounds where it wins and loses most


def frozen_name(baseline: str) -> str:
    """Name of a baseline in its folder."""
    return baseline.removesuffix(FROZEN)


def against(scores: pd.DataFrame, candidate: str, seed: int, files: Collection[str] = ()) -> pd.DataFrame:
    """Compare a candidate with each baseline.

    Args:
        scores: Of all items, of the candidate and the baselines, as made by `flowsynth.evaluation.summary.gather`.
        candidate: Its name.
        seed: Of the bootstrap.
        files: Baselines that were submitted as a file of answers.

    Returns:
        The columns of `COLUMNS`, one row a metric and baseline: means over folds, their difference (candidate minus
        baseline) with the limits of its 95 % interval, p corrected by Holm over the baselines, the verdict, and how many
        renderings for a sound the baseline takes before it answers, if that is known.
    """
    metrics, means = registry(), {}
    for metric in dict.fromkeys(scores["metric"]):
        means[metric] = paired_scores(scores, metric).groupby(level="fold").mean().mean()
    rows = []
    for row in compare(scores, seed, candidate).itertuples():
        lower = metrics[row.metric].better == "lower"
        verdict: Verdict = "no difference"
        if row.differ:
            verdict = "better" if (row.mean_difference < 0) == lower else "worse"
        mean, baseline = means[row.metric], frozen_name(row.second)
        rows.append(
            (row.metric, row.second, row.items, mean[candidate], mean[row.second], row.mean_difference, row.low, row.high,
             row.p_holm, verdict, pd.NA if baseline in files else render_count(baseline))
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS).astype({"baseline_renderings": "Int64"})


def extremes(scores: pd.DataFrame, candidate: str, rival: str, metric: str, number: int = SHOWN) -> pd.DataFrame:
    """Choose the sounds of the first fold where a candidate wins and loses most against a rival.

    Args:
        scores: As above.
        candidate: Its name.
        rival: Name of a baseline.
        metric: To choose by.
        number: Of sounds to either side.

    Returns:
        Columns item, candidate, rival (values), gain (above 0 where the candidate is better): the greatest gains first, then
        the greatest losses, those first that are the largest. Items that are as good are neither.
    """
    values = paired_scores(scores, metric)
    values = values.loc[values.index.get_level_values("fold") == values.index.get_level_values("fold").min()]
    sign = -1 if registry()[metric].better == "lower" else 1
    table = pd.DataFrame({"candidate": values[candidate], "rival": values[rival]})
    table["gain"] = sign * (table["candidate"] - table["rival"])
    table = table.reset_index("fold", drop=True).reset_index().sort_values(["gain", "item"], ascending=[False, True])
    wins, losses = table[table["gain"] > 0].head(number), table[table["gain"] < 0].tail(number)
    return pd.concat([wins, losses.iloc[::-1]], ignore_index=True)
