"""How all systems of the fixed baselines stand, and what their scores say of normalising flows.

Every sentence is made from scores; what a sentence is about is chosen here, before there are any, but for "the best" of a
kind, which is chosen by the same scores: it may owe a little to luck.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from flowsynth.baselines import read_scores
from flowsynth.frozen import MANIFEST, submitted
from flowsynth.metrics import JUDGE, registry
from flowsynth.seeds import derive_seed
from flowsynth.statistics import LEVEL, compare, paired, resampled, resampled_medians
from flowsynth.systems import is_control, renderings
from flowsynth.tables import heading, number, to_markdown

RIVAL = "nearest"
POINTS = ("mlp", "cnn", "resnet", "ae", "vae", "wae")  # of the paper: one answer, by regression, and no flow
FLOWS = ("flow_reg", "flow_cond", "flow_dis", "npe_nsf")  # normalising flows that are trained by likelihood
COLUMNS = ["system", "renderings", "mean", "low", "high", "change", "change_low", "change_high"]
TAIL = 0.1  # share of the sounds, the worst ones of a system
MEDIAN = "spectral_convergence"  # few quiet targets make its mean
MORE = {MEDIAN: "median", "mel_mse": "mean", "parameter_mse": "mean"}  # shown beside the judge


def standings(scores: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Order systems by how close their sounds are.

    Args:
        scores: Of all items, one sample an item.
        seed: Of the bootstrap.

    Returns:
        The columns of `COLUMNS` and of `MORE`, the best system first and without the oracle: the mean of log-mel L1 with the
        limits of its 95 % interval; by which share that is more or less than that of `nearest`, and the limits of that.
    """
    values = paired(scores, JUDGE).drop(columns="oracle", errors="ignore")
    drawn = pd.DataFrame(resampled(values, derive_seed(seed, "leaderboard")), columns=values.columns)
    means = values.groupby(level="fold").mean().mean()
    others = {name: paired(scores, name) for name in MORE}
    rows = []
    for system in means.sort_values(kind="stable").index:
        ratio = drawn[system] / drawn[RIVAL] - 1
        limits = [_limits(drawn[system]), _limits(ratio)]
        row = (system, renderings(system), means[system], *limits[0], means[system] / means[RIVAL] - 1, *limits[1])
        extra = {
            name: table[system].median()
            if MORE[name] == "median"
            else table[system].groupby(level="fold").mean().mean()
            for name, table in others.items()
        }
        rows.append(dict(zip(COLUMNS, row, strict=True)) | extra)
    return pd.DataFrame(rows)


def laid_out(table: pd.DataFrame, files: Sequence[str] = ()) -> pd.DataFrame:
    """Lay standings out as a table of text; controls are said to be such, and so is what was submitted as a file."""
    metrics = registry()
    kinds = ["control" if is_control(name) else "submitted" if name in files else "" for name in table["system"]]
    shown = {
        "System": [f"{name} ({kind})" if kind else name for name, kind in zip(table["system"], kinds, strict=True)],
        "Renderings a sound": [
            "not known" if name in files else str(count)
            for name, count in zip(table["system"], table["renderings"], strict=True)
        ],
        heading(metrics[JUDGE]): [
            f"{number(row.mean)} ({number(row.low)} to {number(row.high)})" for row in table.itertuples(index=False)
        ],
        f"Against {RIVAL}": [
            ""
            if row.system == RIVAL
            else f"{_change(row.change)} ({_change(row.change_low)} to {_change(row.change_high)})"
            for row in table.itertuples(index=False)
        ],
    }
    for name, which in MORE.items():
        shown[heading(metrics[name]) + (", median" if which == "median" else "")] = table[name].map(number)
    return pd.DataFrame(shown)


def findings(scores: pd.DataFrame, seed: int) -> list[str]:
    """Answer what the benchmark is there to settle, a sentence each, from the systems that there are."""
    values = paired(scores, JUDGE).drop(columns="oracle", errors="ignore")
    means = values.groupby(level="fold").mean().mean()
    there = list(means.index)
    said: list[str] = []

    def best(names: Sequence[str]) -> str | None:
        found = [name for name in names if name in there]
        return str(means[found].idxmin()) if found else None

    def told(first: str | None, second: str | None, opening: str) -> None:
        if first in there and second in there and first != second:
            said.append(f"{opening}: {_versus(scores, str(first), str(second), seed)}")

    heard = [name for name in there if renderings(name) == 16]
    flow, flow16 = best(FLOWS), best([f"{name}_best16" for name in FLOWS])
    point, leader = best(POINTS), best(heard)
    told("flow_reg", "flow_reg_published", "The paper's flow, trained by likelihood and by the published objective")
    told(flow, point, "The best flow with one draw, and the best of the paper's models without one")
    told(
        flow16,
        point,
        "The best flow that may listen to 16 of its answers, and the best of the paper's models without one",
    )
    told(flow16, best(["mdn_best16"]), "That flow, and a mixture of Gaussians in its place")
    told(flow16, best(["flow_matching_best16"]), "That flow, and flow matching")
    told(flow16, RIVAL, "That flow, and the nearest training preset")
    told(leader, flow16, "The best of all that listen to 16 renderings, and that flow")
    told(
        leader,
        point,
        "The best of all that listen to 16 renderings, and that of the paper's models without a flow",
    )
    if leader and point:
        points = [name for name in POINTS if name in there]
        said.append(
            f"The same, and the best of those models by another measure: {_medians(scores, leader, points, seed)}"
        )
    told(leader, RIVAL, "The best of all that listen to 16 renderings, and the nearest training preset")
    return said + (limits(values, leader) if leader and RIVAL in there else [])


def limits(values: pd.DataFrame, system: str) -> list[str]:
    """Say what keeps a system from being better: how its errors are spread, and what choosing among all systems would bring.

    Args:
        values: Log-mel L1, a row an item, a column a system, without the oracle.
        system: Its name.

    Returns:
        A sentence each.
    """
    worst = values.nlargest(max(1, round(TAIL * len(values))), system)
    share = worst[system].sum() / values[system].sum()
    chosen = values.min(axis=1).groupby(level="fold").mean().mean()
    half, rival = number(values[system].median()), number(values[RIVAL].median())
    return [
        f"For half of the sounds `{system}` comes within {half}, `{RIVAL}` within {rival}. What it fails at is few sounds: "
        f"the {TAIL:.0%} that are worst for it carry {share:.0%} of its log-mel L1, {number(worst[system].mean())} each, and "
        f"have {number(worst[RIVAL].mean())} with `{RIVAL}`.",
        f"The closest of all these systems for each sound, chosen with its score known, would have {number(chosen)}.",
    ]


def markdown(folder: Path) -> str:
    """The findings and the table of a folder of baselines, for the README."""
    scores, made = _read(folder)
    sentences = "\n".join(f"- {sentence}" for sentence in findings(scores, made["seed"]))
    table = laid_out(standings(scores, made["seed"]), made["submitted"])
    return f"### {made['dataset']}\n\n{_campaign(made)}.\n\n{sentences}\n\n{to_markdown(table)}"


def of_page(folder: Path) -> tuple[str, pd.DataFrame]:
    """Caption and table of text of a folder of baselines, for the page."""
    scores, made = _read(folder)
    return f"Leaderboard: {_campaign(made)}", laid_out(standings(scores, made["seed"]), made["submitted"])


def _read(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Scores of baselines, and what they were made with."""
    manifest = json.loads((folder / MANIFEST).read_text())
    made = manifest["maker"] | {"submitted": submitted(folder), "frozen": len(manifest["folds"])}
    return read_scores(folder, **{key: made[key] for key in ("budget", "dataset", "split")}), made


def _campaign(made: Mapping[str, Any]) -> str:
    items = made.get("epoch_items")
    epochs = f"{made['epochs']} epochs of {items:,} presets" if items else f"{made['epochs']} epochs"
    for model, passes in made.get("passes", {}).items():
        epochs += f", of `{model}` {passes} times as many"
    some = "" if made["frozen"] == made["folds"] else f"{made['frozen']} of "
    intervals = "95 % intervals" + (" over the sounds of one training" if made["frozen"] == 1 else "")
    return (
        f"budget {made['budget']}, {some}{made['folds']} folds, up to {made['sampled']:,} drawn presets beside those that "
        f"people made, {epochs}; {intervals}"
    )


def _change(share: float) -> str:
    """Write a change in percent; what rounds to nothing is neither more nor less."""
    return "0%" if abs(share) < 0.005 else f"{share:+.0%}"


def _limits(draws: pd.Series) -> tuple[float, float]:
    low, high = draws.quantile([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _versus(scores: pd.DataFrame, first: str, second: str, seed: int) -> str:
    """Say how two systems differ in log-mel L1, corrected for all comparisons that there are with the first."""
    means = paired(scores, JUDGE).groupby(level="fold").mean().mean()
    rows = compare(scores[scores["metric"] == JUDGE], seed, first).set_index("second")
    row = rows.loc[second]
    verdict = ("better" if row["mean_difference"] < 0 else "worse") if row["differ"] else "no difference"
    interval_alone = not row["differ"] and (row["low"] > 0 or row["high"] < 0)
    but = f", but p = {number(row['p_holm'])} by Wilcoxon's test" if interval_alone else ""
    return (
        f"`{first}` {number(means[first])}, `{second}` {number(means[second])} in log-mel L1: **{verdict}** "
        f"({_change(means[first] / means[second] - 1)}; 95 % interval of the difference {number(row['low'])} to "
        f"{number(row['high'])}{but})."
    )


def _medians(scores: pd.DataFrame, first: str, others: Sequence[str], seed: int) -> str:
    """Say how a system differs from the best of others in the median of spectral convergence."""
    values = paired(scores, MEDIAN)
    medians = values.median()
    second = str(medians[list(others)].idxmin())
    drawn = pd.DataFrame(resampled_medians(values, derive_seed(seed, "medians")), columns=values.columns)
    low, high = _limits(drawn[first] - drawn[second])
    verdict = "better" if high < 0 else "worse" if low > 0 else "no difference"
    return (
        f"`{first}` {number(medians[first])}, `{second}` {number(medians[second])} in the median of "
        f"{registry()[MEDIAN].label.lower()}: **{verdict}** (95 % interval of the difference {number(low)} to {number(high)})."
    )
