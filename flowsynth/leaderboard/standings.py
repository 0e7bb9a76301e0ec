"""How all systems of the fixed baselines stand, and what keeps the best of them from being better."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from flowsynth.core.seeding import derive_seed
from flowsynth.evaluation import flow_comparison
from flowsynth.evaluation.flow_comparison import MEDIAN, NEAREST, RENDER_BUDGET
from flowsynth.evaluation.statistics import bootstrap_means, interval, paired_scores
from flowsynth.evaluation.summary import change, heading, number, to_markdown
from flowsynth.leaderboard.baselines import read_scores
from flowsynth.leaderboard.manifest import MANIFEST, submitted
from flowsynth.metrics import PRIMARY_METRIC, registry
from flowsynth.models.registry import is_control, render_count

COLUMNS = ["system", "renderings", "mean", "low", "high", "change", "change_low", "change_high"]
TAIL = 0.1  # share of the sounds, the worst ones of a system
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
    values = paired_scores(scores, PRIMARY_METRIC).drop(columns="oracle", errors="ignore")
    drawn = pd.DataFrame(bootstrap_means(values, derive_seed(seed, "leaderboard")), columns=values.columns)
    means = values.groupby(level="fold").mean().mean()
    others = {name: paired_scores(scores, name) for name in MORE}
    rows = []
    for system in means.sort_values(kind="stable").index:
        ratio = drawn[system] / drawn[NEAREST] - 1
        limits = [interval(drawn[system]), interval(ratio)]
        row = (system, render_count(system), means[system], *limits[0], means[system] / means[NEAREST] - 1, *limits[1])
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
        heading(metrics[PRIMARY_METRIC]): [
            f"{number(row.mean)} ({number(row.low)} to {number(row.high)})" for row in table.itertuples(index=False)
        ],
        f"Against {NEAREST}": [
            ""
            if row.system == NEAREST
            else f"{change(row.change)} ({change(row.change_low)} to {change(row.change_high)})"
            for row in table.itertuples(index=False)
        ],
    }
    for name, which in MORE.items():
        shown[heading(metrics[name]) + (", median" if which == "median" else "")] = table[name].map(number)
    return pd.DataFrame(shown)


def limits(scores: pd.DataFrame, system: str) -> list[str]:
    """Say what keeps a system from being better: how its errors are spread, and what choosing among all systems would bring.

    Args:
        scores: Of all items, one sample an item.
        system: Its name.

    Returns:
        A sentence each.
    """
    values = paired_scores(scores, PRIMARY_METRIC).drop(columns="oracle", errors="ignore")
    worst = values.nlargest(max(1, round(TAIL * len(values))), system)
    share = worst[system].sum() / values[system].sum()
    chosen = values.min(axis=1).groupby(level="fold").mean().mean()
    half, rival = number(values[system].median()), number(values[NEAREST].median())
    return [
        f"For half of the sounds `{system}` comes within {half}, `{NEAREST}` within {rival}. What it fails at is few sounds: "
        f"the {TAIL:.0%} that are worst for it carry {share:.0%} of its log-mel L1, {number(worst[system].mean())} each, and "
        f"have {number(worst[NEAREST].mean())} with `{NEAREST}`.",
        f"The closest of all these systems for each sound, chosen with its score known, would have {number(chosen)}.",
    ]


def markdown(folders: Sequence[Path], others: Mapping[str, Mapping[str, str]]) -> str:
    """What baselines answer, and how systems stand in them, for the README.

    Args:
        folders: Of baselines, each of a data set.
        others: What other scores answer, by what they are and by question.
    """
    sections, told = [], {}
    for folder in folders:
        scores, made = read(folder)
        table = standings(scores, made["seed"])
        told[made["dataset"]] = flow_comparison.answer_questions(scores, made["seed"])
        heard = table.loc[table["renderings"] == RENDER_BUDGET, "system"]
        sentences = limits(scores, heard.iloc[0]) if len(heard) else []
        listed = "".join(f"- {sentence}\n" for sentence in sentences)
        shown = to_markdown(laid_out(table, made["submitted"]))
        sections.append(f"### {made['dataset']}\n\n{_campaign(made)}.\n\n{listed}\n{shown}")
    return "\n".join([flow_comparison.markdown({**told, **others}), *sections])


def of_page(folder: Path) -> tuple[str, pd.DataFrame]:
    """Caption and table of text of a folder of baselines, for the page."""
    scores, made = read(folder)
    return f"Leaderboard: {_campaign(made)}", laid_out(standings(scores, made["seed"]), made["submitted"])


def read(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read the scores of baselines, and what they were made with."""
    manifest = json.loads((folder / MANIFEST).read_text())
    made = manifest["maker"] | {"submitted": submitted(folder), "frozen": len(manifest["folds"])}
    return read_scores(folder, **{key: made[key] for key in ("budget", "dataset", "split")}), made


def _campaign(made: Mapping[str, Any]) -> str:
    items = made.get("epoch_items")
    epochs = f"{made['epochs']} epochs of {items:,} presets" if items else f"{made['epochs']} epochs"
    for model, passes in made.get("passes", {}).items():
        epochs += f" ({passes} times as many passes over them for `{model}`)"
    some = "" if made["frozen"] == made["folds"] else f"{made['frozen']} of "
    intervals = "95 % intervals" + (" over the sounds of one training" if made["frozen"] == 1 else "")
    return (
        f"budget {made['budget']}, {some}{made['folds']} folds, up to {made['sampled']:,} drawn presets beside those that "
        f"people made, {epochs}; {intervals}"
    )
