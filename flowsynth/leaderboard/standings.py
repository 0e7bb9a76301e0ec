"""Leaderboard of the frozen baselines: ranking of all systems, and an error analysis of the best one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from flowsynth.core.seeding import derive_seed
from flowsynth.evaluation import flow_comparison
from flowsynth.evaluation.flow_comparison import MEDIAN, NEAREST, RENDER_BUDGET
from flowsynth.evaluation.score_tables import systems
from flowsynth.evaluation.statistics import bootstrap_means, interval, paired_scores
from flowsynth.evaluation.summary import change, heading, number, to_markdown
from flowsynth.leaderboard.baselines import read_scores
from flowsynth.leaderboard.manifest import frozen_settings, read_manifest
from flowsynth.metrics import PRIMARY_METRIC, registry

RANKING_COLUMNS = ["system", "is_control", "renderings", "mean", "low", "high", "change", "change_low", "change_high"]
WORST_SHARE = 0.1  # share of the sounds that are a system's worst
EXTRA_METRICS = {MEDIAN: "median", "mel_mse": "mean", "parameter_mse": "mean"}  # shown beside the ranking metric


def standings(scores: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rank systems by log-mel L1.

    Args:
        scores: Scores of all items, the mean over samples.
        seed: Seed of the bootstrap.

    Returns:
        Table with the columns of `RANKING_COLUMNS` and `EXTRA_METRICS`, the best system first, without the oracle: the
        mean with the limits of its 95 % interval, and the relative change from `nearest` with its limits.
    """
    values = paired_scores(scores, PRIMARY_METRIC).drop(columns="oracle", errors="ignore")
    resamples = pd.DataFrame(bootstrap_means(values, derive_seed(seed, "leaderboard")), columns=values.columns)
    means = values.groupby(level="fold").mean().mean()
    others = {name: paired_scores(scores, name) for name in EXTRA_METRICS}
    described, rows = systems(scores), []
    for system in means.sort_values(kind="stable").index:
        ratio = resamples[system] / resamples[NEAREST] - 1
        limits = [interval(resamples[system]), interval(ratio)]
        facts = described.loc[system, ["is_control", "renderings"]]
        row = (system, *facts, means[system], *limits[0], means[system] / means[NEAREST] - 1, *limits[1])
        extra = {
            name: table[system].median()
            if EXTRA_METRICS[name] == "median"
            else table[system].groupby(level="fold").mean().mean()
            for name, table in others.items()
        }
        rows.append(dict(zip(RANKING_COLUMNS, row, strict=True)) | extra)
    return pd.DataFrame(rows).astype({"is_control": bool, "renderings": "Int64"})


def format_table(table: pd.DataFrame) -> pd.DataFrame:
    """Format standings as a table of text; controls and systems submitted as a file are marked."""
    metrics = registry()
    submitted = table["renderings"].isna()  # nothing but their predictions is known
    kinds = submitted.map({True: "submitted", False: ""}).mask(table["is_control"], "control")
    columns = {
        "System": [f"{name} ({kind})" if kind else name for name, kind in zip(table["system"], kinds, strict=True)],
        "Renderings per sound": table["renderings"].astype("string").fillna("unknown"),
        heading(metrics[PRIMARY_METRIC]): [
            f"{number(row.mean)} ({number(row.low)} to {number(row.high)})" for row in table.itertuples(index=False)
        ],
        f"Relative to {NEAREST}": [
            ""
            if row.system == NEAREST
            else f"{change(row.change)} ({change(row.change_low)} to {change(row.change_high)})"
            for row in table.itertuples(index=False)
        ],
    }
    for name, average in EXTRA_METRICS.items():
        columns[heading(metrics[name]) + (", median" if average == "median" else "")] = table[name].map(number)
    return pd.DataFrame(columns)


def describe_errors(scores: pd.DataFrame, system: str) -> list[str]:
    """Describe how a system's errors are distributed, and the lower bound of choosing among all systems.

    Args:
        scores: Scores of all items, the mean over samples.
        system: Name of the system.

    Returns:
        One sentence each.
    """
    values = paired_scores(scores, PRIMARY_METRIC).drop(columns="oracle", errors="ignore")
    worst = values.nlargest(max(1, round(WORST_SHARE * len(values))), system)
    share = worst[system].sum() / values[system].sum()
    bound = values.min(axis=1).groupby(level="fold").mean().mean()
    median, rival_median = number(values[system].median()), number(values[NEAREST].median())
    return [
        f"The median log-mel L1 of `{system}` is {median}, that of `{NEAREST}` {rival_median}. The {WORST_SHARE:.0%} of "
        f"the sounds with the highest error of `{system}` contribute {share:.0%} of its log-mel L1, with a mean of "
        f"{number(worst[system].mean())} ({number(worst[NEAREST].mean())} with `{NEAREST}`).",
        f"Choosing the best of all these systems for each sound in hindsight would give {number(bound)}.",
    ]


def markdown(folders: Sequence[Path], other_answers: Mapping[str, Mapping[str, str]]) -> str:
    """Write the comparison of flows and the leaderboards as Markdown, for the README.

    Args:
        folders: Folders of baselines, one per data set.
        other_answers: Answers from other scores, by campaign and question.
    """
    sections, answers = [], {}
    for folder in folders:
        scores, settings = read_baselines(folder)
        table = standings(scores, settings["seed"])
        answers[settings["dataset"]] = flow_comparison.answer_questions(scores, settings["seed"])
        leaders = table.loc[table["renderings"] == RENDER_BUDGET, "system"]
        sentences = describe_errors(scores, leaders.iloc[0]) if len(leaders) else []
        bullets = "".join(f"- {sentence}\n" for sentence in sentences)
        leaderboard = to_markdown(format_table(table))
        sections.append(f"### {settings['dataset']}\n\n{_describe(settings)}.\n\n{bullets}\n{leaderboard}")
    return "\n".join([flow_comparison.markdown({**answers, **other_answers}), *sections])


def page_table(folder: Path) -> tuple[str, pd.DataFrame]:
    """Return the caption and the text table of a leaderboard, for the page of a run."""
    scores, settings = read_baselines(folder)
    table = format_table(standings(scores, settings["seed"]))
    return f"Leaderboard: {_describe(settings)}", table


def read_baselines(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read the scores of baselines, and the settings they were made with."""
    manifest = read_manifest(folder)
    settings = frozen_settings(folder) | {"frozen": len(manifest["folds"])}
    return read_scores(folder, **{key: settings[key] for key in ("budget", "dataset", "split")}), settings


def _describe(settings: Mapping[str, Any]) -> str:
    items = settings.get("epoch_items")
    epochs = f"{settings['epochs']} epochs of {items:,} presets" if items else f"{settings['epochs']} epochs"
    for model, passes in settings.get("passes", {}).items():
        epochs += f" ({passes} times as many passes over them for `{model}`)"
    frozen = "" if settings["frozen"] == settings["folds"] else f"{settings['frozen']} of "
    intervals = "95 % intervals" + (" over the sounds of one training" if settings["frozen"] == 1 else "")
    return (
        f"budget {settings['budget']}, {frozen}{settings['folds']} folds, up to {settings['synthetic_presets']:,} synthetic "
        f"presets in addition to the human-designed ones, {epochs}; {intervals}"
    )
