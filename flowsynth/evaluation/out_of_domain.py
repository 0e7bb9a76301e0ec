"""Scores on out-of-domain sounds: the paper's out-of-domain columns, for each collection of sounds.

Search runs on some of the sounds only, so there are two groups: all sounds, without search, and the searched sounds,
with all models. Models are comparable only within a group.

References:
    Esling et al. 2019, "out-of-domain generalization".
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from flowsynth.core.layout import SystemPaths
from flowsynth.core.readers import read_csv
from flowsynth.evaluation.score_tables import SYSTEM_COLUMNS, systems
from flowsynth.evaluation.summary import format_table, gather, number, to_markdown
from flowsynth.metrics import PRIMARY_METRIC, registry

SUMMARY_COLUMNS = ["sounds", "collection", "model", *SYSTEM_COLUMNS, "metric", "mean", "sd", "median", "items", "best"]
POOLED = "every"  # all collections pooled


def read_scores(scores: Sequence[Path], manifests: Sequence[Path]) -> pd.DataFrame:
    """Read the scores of models and of search.

    Args:
        scores: Files written by `flowsynth.evaluation.scoring.score`, one per model.
        manifests: Manifests of the collections, written by `flowsynth.data.out_of_domain.collections.collect`.

    Returns:
        The columns of scores, and collection.

    Raises:
        ValueError: If models were not scored on the same sounds.
    """
    search = [path for path in scores if SystemPaths.parse(path).name == "search"]
    tables = [gather([path for path in scores if path not in search]), *(gather([path]) for path in search)]
    table = pd.concat(tables, ignore_index=True)
    sounds = pd.concat([read_csv(path, dtype={"id": str}) for path in manifests])
    return table.assign(collection=table["item"].map(sounds.set_index("id")["collection"]))


def summarise(scores: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Summarise scores by group of sounds, collection, model and metric.

    Args:
        scores: Scores, as returned by `read_scores`.
        models: Names of the models in the order of the table, search included.

    Returns:
        The columns of `SUMMARY_COLUMNS`: sounds is all or searched; mean, sd (empty for one sound) and median are over
        sounds, each the mean of its samples; items is the number of sounds for which the metric is defined; best marks
        the model, controls excluded, with the best mean. All collections pooled are the collection `POOLED`.
    """
    per_sound = scores.groupby(["collection", "model", "metric", "item"])["value"].mean().reset_index()
    searched = per_sound["item"].isin(per_sound.loc[per_sound["model"] == "search", "item"])
    groups = {"all": per_sound[per_sound["model"] != "search"], "searched": per_sound[searched]}
    parts = []
    for name, rows in groups.items():
        with_pooled = pd.concat([rows, rows.assign(collection=POOLED)])
        values = with_pooled.groupby(["collection", "model", "metric"])["value"]
        parts.append(
            values.agg(mean="mean", sd="std", median="median", items="count").reset_index().assign(sounds=name)
        )
    table = pd.concat(parts, ignore_index=True).join(systems(scores), on="model")
    metrics = registry()
    lower = table["metric"].map(lambda name: metrics[name].better == "lower")
    error = table["mean"].where(lower, -table["mean"]).where(~table["is_control"])
    smallest = error.groupby([table["sounds"], table["collection"], table["metric"]]).transform("min")
    table["best"] = error.notna() & (error == smallest)
    order = [*dict.fromkeys(scores["collection"]), POOLED], list(models), list(metrics)
    for column, names in zip(["collection", "model", "metric"], order, strict=True):
        table[column] = pd.Categorical(table[column], names, ordered=True)
    table = table.sort_values(["sounds", "collection", "model", "metric"], ignore_index=True)
    return table.astype({"collection": str, "model": str, "metric": str})[SUMMARY_COLUMNS]


def markdown(summary: pd.DataFrame, missing_packages: Mapping[str, Sequence[str]]) -> str:
    """Format a summary as Markdown: a table for each collection, and one for the searched sounds of all collections.

    Args:
        summary: Summary, as returned by `summarise`.
        missing_packages: Skipped collections, and the packages they need that are not installed.
    """
    parts = ["Mean ± standard deviation over sounds; the best model that is not a control is bold."]
    for collection in dict.fromkeys(summary["collection"]):
        parts += _section(summary, "all", collection, collection if collection != POOLED else "All collections")
    parts += _section(summary, "searched", POOLED, "Searched sounds of all collections")
    for name, packages in missing_packages.items():
        parts.append(f"Skipped: {name}, as these packages are not installed: {', '.join(packages)}.")
    return "\n\n".join(parts) + "\n"


def _section(summary: pd.DataFrame, sounds: str, collection: str, title: str) -> list[str]:
    rows = summary[(summary["sounds"] == sounds) & (summary["collection"] == collection)]
    if rows.empty:
        return []
    table = to_markdown(format_table(rows, list(registry().values())))
    verdict = _verdict(rows[rows["metric"] == PRIMARY_METRIC])
    return [f"## {title}: {rows['items'].max()} sounds", table.strip(), *verdict]


def _verdict(rows: pd.DataFrame) -> list[str]:
    """State the best model, and the scores of the controls."""
    means = rows.set_index("model")["mean"]
    best = rows.loc[rows["best"], "model"]
    if best.empty:
        return []
    controls = [f"{name} {number(means[name])}" for name in ("nearest", "search") if name in means.index]
    versus = f", against {' and '.join(controls)}" if controls else ""
    return [f"Best by {registry()[PRIMARY_METRIC].label}: {best.iloc[0]}, {number(means[best.iloc[0]])}{versus}."]
