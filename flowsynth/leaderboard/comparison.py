"""Comparison of a candidate with frozen baselines: the difference in every metric, and whether it is significant.

References:
    `flowsynth.evaluation.statistics`: the criterion of significance.
"""

from typing import Literal

import pandas as pd

from flowsynth.evaluation.score_tables import systems
from flowsynth.evaluation.statistics import compare, paired_scores
from flowsynth.metrics import registry

Verdict = Literal["better", "worse", "no difference"]
COMPARISON_COLUMNS = [
    "metric", "baseline", "items", "candidate_mean", "baseline_mean", "difference", "low", "high", "p_holm", "verdict",
    "baseline_is_control", "baseline_renderings",
]  # fmt: skip
FROZEN_SUFFIX = " (frozen)"  # marks the baseline that shares its name with the candidate
EXTREMES = 3  # sounds on each side


def frozen_name(baseline: str) -> str:
    """Return the name of a baseline as stored in its folder."""
    return baseline.removesuffix(FROZEN_SUFFIX)


def compare_to_baselines(scores: pd.DataFrame, candidate: str, seed: int) -> pd.DataFrame:
    """Compare a candidate with each baseline.

    Args:
        scores: Scores of the candidate and the baselines, as returned by `flowsynth.evaluation.summary.gather`.
        candidate: Name of the candidate.
        seed: Seed of the bootstrap.

    Returns:
        Table with the columns of `COMPARISON_COLUMNS`, one row per metric and baseline: means over folds, their
        difference (candidate minus baseline) with the limits of its 95 % interval, Holm-corrected p, the verdict,
        whether the baseline is a control, and the number of renderings per sound that it takes (missing if unknown).
    """
    metrics, means = registry(), {}
    for metric in dict.fromkeys(scores["metric"]):
        means[metric] = paired_scores(scores, metric).groupby(level="fold").mean().mean()
    described, rows = systems(scores), []
    for row in compare(scores, seed, candidate).itertuples():
        lower = metrics[row.metric].better == "lower"
        verdict: Verdict = "no difference"
        if row.differ:
            verdict = "better" if (row.mean_difference < 0) == lower else "worse"
        mean, baseline = means[row.metric], described.loc[row.second]
        rows.append(
            (row.metric, row.second, row.items, mean[candidate], mean[row.second], row.mean_difference, row.low,
             row.high, row.p_holm, verdict, baseline["is_control"], baseline["renderings"])
        )  # fmt: skip
    types = {"baseline_is_control": bool, "baseline_renderings": "Int64"}
    return pd.DataFrame(rows, columns=COMPARISON_COLUMNS).astype(types)


def extremes(scores: pd.DataFrame, candidate: str, rival: str, metric: str, number: int = EXTREMES) -> pd.DataFrame:
    """Select the sounds of the first fold with the largest gains and losses of a candidate over a rival.

    Args:
        scores: Scores as above.
        candidate: Name of the candidate.
        rival: Name of a baseline.
        metric: Metric to select by.
        number: Maximum number of gains, and of losses.

    Returns:
        Columns item, candidate, rival (values), gain (positive where the candidate is better): gains from the largest
        down, then losses from the largest down. Ties are excluded.
    """
    values = paired_scores(scores, metric)
    values = values.loc[values.index.get_level_values("fold") == values.index.get_level_values("fold").min()]
    sign = -1 if registry()[metric].better == "lower" else 1
    table = pd.DataFrame({"candidate": values[candidate], "rival": values[rival]})
    table["gain"] = sign * (table["candidate"] - table["rival"])
    table = table.reset_index("fold", drop=True).reset_index().sort_values(["gain", "item"], ascending=[False, True])
    wins, losses = table[table["gain"] > 0].head(number), table[table["gain"] < 0].tail(number)
    return pd.concat([wins, losses.iloc[::-1]], ignore_index=True)
