"""Summary tables of the scores of all items, as CSV, Markdown and LaTeX."""

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from flowsynth.evaluation import score_tables
from flowsynth.evaluation.score_tables import KEY, SCORE_COLUMNS, SYSTEM_COLUMNS
from flowsynth.metrics import Metric, registry

MISSING = "missing"
DAGGER = "†"
DAGGER_NOTE = "no better than the mean preset in any audio metric"
TO_LATEX = str.maketrans({"_": r"\_", "↓": r"$\downarrow$", "↑": r"$\uparrow$", "±": r"$\pm$", DAGGER: r"$\dagger$"})


def gather(paths: Sequence[Path]) -> pd.DataFrame:
    """Concatenate the scores of all models and folds.

    Raises:
        ValueError: If a score is duplicated, or models were not scored on the same items. The number of samples may
            differ, as the best of N samples is one.
    """
    tables = [score_tables.read(path) for path in paths]
    for path, table in zip(paths, tables, strict=True):
        if set(table.columns) != set(SCORE_COLUMNS):
            raise ValueError(f"columns of scores: got {list(table.columns)}, expected {list(SCORE_COLUMNS)} ({path})")
    scores = pd.concat(tables, ignore_index=True)[list(SCORE_COLUMNS)]
    duplicates = scores.loc[scores.duplicated(KEY), list(KEY)]
    if len(duplicates):
        raise ValueError(f"duplicate score: {duplicates.iloc[0].to_dict()}")
    for (_, dataset, _, fold), group in scores.groupby(["budget", "dataset", "split", "fold"]):
        keys = {model: set(zip(rows["metric"], rows["item"], strict=True)) for model, rows in group.groupby("model")}
        (first, expected), *others = keys.items()
        for model, scored in others:
            if scored != expected:
                metric, item = min(scored ^ expected)
                has, lacks = (model, first) if (metric, item) in scored else (first, model)
                raise ValueError(
                    f"{dataset}, fold {fold}: models were not scored on the same items and metrics: "
                    f"{has} has {metric} of item {item}, {lacks} has not"
                )
    return scores


def summarise(scores: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Summarise scores by model and metric.

    Args:
        scores: Scores, as returned by `gather`.
        models: Names of the models in the order of the table.

    Returns:
        Columns model, `SYSTEM_COLUMNS`, metric, mean (of the folds' means), sd (over the folds' means, empty for one
        fold), median (of all items), folds, items (with a value, over all folds), beats_mean (whether the model's mean
        is better than that of the control `mean`; empty without that control).

    Raises:
        ValueError: If the scores are of several budgets, data sets or splits, or the oracle is not perfect: then no
            score is reliable.
    """
    labels = scores[["budget", "dataset", "split"]].drop_duplicates()
    if len(labels) != 1:
        raise ValueError(f"scores of one budget, data set and split expected, got {labels.to_dict('records')}")
    per_fold = scores.groupby(["model", "metric", "fold"])["value"].mean().dropna()
    over_folds = per_fold.groupby(["model", "metric"]).agg(mean="mean", sd="std", folds="size")
    over_items = scores.groupby(["model", "metric"])["value"].agg(median="median")
    defined = scores.dropna(subset="value").drop_duplicates(["model", "metric", "fold", "item"])
    items = defined.groupby(["model", "metric"]).size().rename("items")
    table = over_folds.join(over_items).join(items).fillna({"items": 0}).astype({"items": int}).reset_index()
    metrics = registry()
    oracle = scores[scores["model"] == "oracle"]
    for metric, rows in oracle.groupby("metric"):
        values, perfect = rows["value"].dropna(), metrics[metric].perfect
        if values.empty or (values != perfect).any():
            raise ValueError(
                f"the oracle has {metric} = {values.mean()}, expected {perfect} for every item: "
                "rendering is not reproducible, or the metric is wrong"
            )
    lower = table["metric"].map(lambda name: metrics[name].better == "lower")
    mean = table["metric"].map(table[table["model"] == "mean"].set_index("metric")["mean"])
    beats = (table["mean"] < mean).where(lower, table["mean"] > mean)
    table["beats_mean"] = beats.astype(object).where(mean.notna() & table["mean"].notna(), None)
    model_order = {name: position for position, name in enumerate(models)}
    metric_order = {name: position for position, name in enumerate(metrics)}
    table = table.assign(_model=table["model"].map(model_order), _metric=table["metric"].map(metric_order))
    table = table.sort_values(["_model", "_metric"], ignore_index=True)
    columns = ["model", *SYSTEM_COLUMNS, "metric", "mean", "sd", "median", "folds", "items", "beats_mean"]
    return table.join(score_tables.systems(scores), on="model")[columns]


def markdown(summary: pd.DataFrame) -> str:
    """Format a summary as Markdown in the paper's layout: one row per model and one column per metric."""
    table = to_markdown(_labelled(summary))
    return table + (f"\n{DAGGER} {DAGGER_NOTE}\n" if no_better_than_mean(summary) else "")


def latex(summary: pd.DataFrame) -> str:
    """Format a summary as LaTeX, for the package booktabs."""
    text = to_latex(_labelled(summary))
    return text + (f"% {DAGGER_NOTE}\n" if no_better_than_mean(summary) else "")


def no_better_than_mean(summary: pd.DataFrame) -> list[str]:
    """List the models, controls excluded, that are no better than the mean preset in any spectral or audio metric."""
    metrics = [metric.name for metric in registry().values() if metric.domain != "parameters"]
    rows = summary[summary["metric"].isin(metrics) & ~summary["is_control"]].dropna(subset="beats_mean")
    beats = rows.groupby("model", sort=False)["beats_mean"].any()
    return beats.index[~beats.astype(bool)].tolist()


def format_table(summary: pd.DataFrame, metrics: Sequence[Metric]) -> pd.DataFrame:
    """Format a summary as a table of text, one row per model and one column per metric.

    The best model that is not a control is bold, in Markdown.
    """
    models = list(dict.fromkeys(summary["model"]))
    table = pd.DataFrame({"Model": models})
    for metric in metrics:
        rows = summary[summary["metric"] == metric.name].set_index("model")
        if rows.empty:
            continue
        means = rows.loc[~rows["is_control"], "mean"].dropna()
        best = None if means.empty else means.idxmin() if metric.better == "lower" else means.idxmax()
        cells = []
        for name in models:
            if name not in rows.index or pd.isna(rows.loc[name, "mean"]):
                cells.append(MISSING)
                continue
            mean, sd = rows.loc[name, ["mean", "sd"]]
            cell = number(mean) + ("" if pd.isna(sd) else f" ± {number(sd)}")
            cells.append(f"**{cell}**" if name == best else cell)
        table[heading(metric)] = cells
    return table


def _labelled(summary: pd.DataFrame) -> pd.DataFrame:
    """Format all metrics; mark models with fewer folds than others, and those of `no_better_than_mean`."""
    table, folds = format_table(summary, list(registry().values())), summary.groupby("model")["folds"].max()
    incomplete = {model: f" ({count} of {folds.max()} folds)" for model, count in folds.items() if count < folds.max()}
    daggers = dict.fromkeys(no_better_than_mean(summary), f" {DAGGER}")
    table["Model"] = [model + incomplete.get(model, "") + daggers.get(model, "") for model in table["Model"]]
    return table


def to_markdown(table: pd.DataFrame) -> str:
    """Convert a table of text to Markdown."""
    return table.to_markdown(index=False, disable_numparse=True) + "\n"


def to_latex(table: pd.DataFrame) -> str:
    """Convert a table of text, with Markdown's bold, to LaTeX for the package booktabs."""

    def convert(cell: str) -> str:
        return re.sub(r"\*\*(.*)\*\*", r"\\textbf{\1}", cell.translate(TO_LATEX))

    rows = table.map(convert).rename(columns=convert).style.hide(axis="index")
    return rows.to_latex(hrules=True, column_format="l" + "r" * (len(table.columns) - 1))


def heading(metric: Metric) -> str:
    """Return the label of a metric with an arrow towards better values."""
    return f"{metric.label} {'↓' if metric.better == 'lower' else '↑'}"


def number(value: float) -> str:
    """Format a number with three significant digits, trailing zeros included, and an exponent only for extreme values.

    >>> number(0.5), number(1234.6)
    ('0.500', '1,235')
    """
    size = abs(value)
    if value == 0:
        return "0"
    if 1e-4 <= size < 999.5:
        return f"{value:#.3g}".removesuffix(".")
    return f"{value:,.0f}" if 999.5 <= size < 1e7 else f"{value:.2e}"


def change(share: float) -> str:
    """Format a relative change in percent, without a sign if it rounds to zero.

    >>> change(-0.123), change(0.001)
    ('-12%', '0%')
    """
    return "0%" if abs(share) < 0.005 else f"{share:+.0%}"
