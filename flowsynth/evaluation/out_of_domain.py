"""How models do with sounds that the synthesizer did not make: the paper's columns out of domain, for each collection.

Search takes part for some of the sounds only, so there are two groups: all sounds, without it, and the searched ones, which
every model answered too. A model is only to be compared within a group.

References:
    Esling et al. 2019, "out-of-domain generalization".
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from flowsynth.evaluation.summary import gather, lay_out, number, to_markdown
from flowsynth.metrics import JUDGE, registry
from flowsynth.models.registry import is_control

COLUMNS = ["sounds", "collection", "model", "metric", "mean", "sd", "median", "items", "best"]
EVERY = "every"  # collection of all collections together


def read(scores: Sequence[Path], manifests: Sequence[Path]) -> pd.DataFrame:
    """Read the scores of models, search among them.

    Args:
        scores: As made by `flowsynth.evaluation.scoring.score`, a file a model.
        manifests: Of the collections, as made by `flowsynth.data.out_of_domain.collections.collect`.

    Returns:
        The columns of scores, and collection.

    Raises:
        ValueError: If models were not scored on the same sounds.
    """
    found = [path for path in scores if path.parent.name == "search"]
    table = pd.concat([gather([path for path in scores if path not in found]), *map(_read, found)], ignore_index=True)
    listed = pd.concat([pd.read_csv(path, dtype={"id": str}) for path in manifests])
    return table.assign(collection=table["item"].map(listed.set_index("id")["collection"]))


def _read(path: Path) -> pd.DataFrame:
    return gather([path])


def summarise(scores: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Summarise scores by group of sounds, collection, model and metric.

    Args:
        scores: As made by `read`.
        models: In the order wanted, search among them.

    Returns:
        The columns of `COLUMNS`: sounds is all or searched; mean, sd (empty for one sound) and median are over sounds, each
        the mean of its samples; items is the number of sounds for which the metric is defined; best says which model,
        controls aside, has the best mean. All collections together are the collection `EVERY`.
    """
    per_sound = scores.groupby(["collection", "model", "metric", "item"])["value"].mean().reset_index()
    searched = per_sound["item"].isin(per_sound.loc[per_sound["model"] == "search", "item"])
    groups = {"all": per_sound[per_sound["model"] != "search"], "searched": per_sound[searched]}
    parts = []
    for name, rows in groups.items():
        both = pd.concat([rows, rows.assign(collection=EVERY)])
        values = both.groupby(["collection", "model", "metric"])["value"]
        parts.append(
            values.agg(mean="mean", sd="std", median="median", items="count").reset_index().assign(sounds=name)
        )
    table = pd.concat(parts, ignore_index=True)
    metrics = registry()
    lower = table["metric"].map(lambda name: metrics[name].better == "lower")
    error = table["mean"].where(lower, -table["mean"]).where(~table["model"].map(is_control))
    least = error.groupby([table["sounds"], table["collection"], table["metric"]]).transform("min")
    table["best"] = error.notna() & (error == least)
    order = [*dict.fromkeys(scores["collection"]), EVERY], list(models), list(metrics)
    for column, names in zip(["collection", "model", "metric"], order, strict=True):
        table[column] = pd.Categorical(table[column], names, ordered=True)
    table = table.sort_values(["sounds", "collection", "model", "metric"], ignore_index=True)
    return table.astype({"collection": str, "model": str, "metric": str})[COLUMNS]


def markdown(summary: pd.DataFrame, wanting: Mapping[str, Sequence[str]]) -> str:
    """Lay a summary out: a table for each collection, and one for the searched sounds of all.

    Args:
        summary: As made by `summarise`.
        wanting: Collections that could not be made, and the packages they need.
    """
    parts = ["Mean ± standard deviation over sounds; the best model that is not a control is bold."]
    for collection in dict.fromkeys(summary["collection"]):
        parts += _section(summary, "all", collection, collection if collection != EVERY else "All collections")
    parts += _section(summary, "searched", EVERY, "Searched sounds of all collections")
    for name, packages in wanting.items():
        parts.append(f"Left out: {name}, as these packages are not installed: {', '.join(packages)}.")
    return "\n\n".join(parts) + "\n"


def _section(summary: pd.DataFrame, sounds: str, collection: str, title: str) -> list[str]:
    rows = summary[(summary["sounds"] == sounds) & (summary["collection"] == collection)]
    if rows.empty:
        return []
    table = to_markdown(lay_out(rows, list(registry().values())))
    return [f"## {title}: {rows['items'].max()} sounds", table.strip(), *_verdict(rows[rows["metric"] == JUDGE])]


def _verdict(rows: pd.DataFrame) -> list[str]:
    """Which model is best, beside what the controls reach."""
    means = rows.set_index("model")["mean"]
    best = rows.loc[rows["best"], "model"]
    if best.empty:
        return []
    beside = [f"{name} {number(means[name])}" for name in ("nearest", "search") if name in means.index]
    against = f", against {' and '.join(beside)}" if beside else ""
    return [f"Best by {registry()[JUDGE].label}: {best.iloc[0]}, {number(means[best.iloc[0]])}{against}."]
