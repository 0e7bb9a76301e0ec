"""Scores of all items to the tables that people read; csv is the truth, Markdown and LaTeX are made from it."""

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from flowsynth.evaluation.columns import COLUMNS
from flowsynth.metrics import Metric, registry
from flowsynth.models.registry import is_control

KEY = ["budget", "dataset", "split", "fold", "model", "item", "sample", "metric"]
ABSENT = "missing"
DEAF = "†"
EXPLAINED = "in no metric of sound better than answering with the mean preset"
TO_LATEX = str.maketrans({"_": r"\_", "↓": r"$\downarrow$", "↑": r"$\uparrow$", "±": r"$\pm$", DEAF: r"$\dagger$"})


def gather(paths: Sequence[Path]) -> pd.DataFrame:
    """Put the scores of all models and folds into one table.

    Raises:
        ValueError: If a score stands twice, or a model was not scored on the items of the others. It may have more samples
            of them: the best of several answers is one.
    """
    tables = [pd.read_csv(path, dtype={"item": str}) for path in paths]
    for path, table in zip(paths, tables, strict=True):
        if tuple(table.columns) != COLUMNS:
            raise ValueError(f"columns of scores: got {list(table.columns)}, expected {list(COLUMNS)} ({path})")
    scores = pd.concat(tables, ignore_index=True)
    if scores.duplicated(KEY).any():
        raise ValueError(f"a score stands twice: {scores.loc[scores.duplicated(KEY), KEY].iloc[0].to_dict()}")
    for (_, dataset, _, fold), group in scores.groupby(["budget", "dataset", "split", "fold"]):
        keys = {model: set(zip(rows["metric"], rows["item"], strict=True)) for model, rows in group.groupby("model")}
        (first, expected), *others = keys.items()
        for model, found in others:
            if found != expected:
                metric, item = min(found ^ expected)
                has, lacks = (model, first) if (metric, item) in found else (first, model)
                raise ValueError(
                    f"{dataset}, fold {fold}: models were not scored on the same items and metrics: "
                    f"{has} has {metric} of item {item}, {lacks} has not"
                )
    return scores


def summarise(scores: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Summarise scores by model and metric.

    Args:
        scores: As made by `gather`.
        models: In the order wanted.

    Returns:
        Columns model, metric, mean (of the folds' means), sd (over the folds' means, empty for one fold), median (of all
        items), folds, items (that have a value, over all folds), beats_mean (whether the model's mean is better than that
        of the control `mean`; empty without that control).

    Raises:
        ValueError: If the scores are of several data sets, or the oracle is not perfect: then nothing can be trusted.
    """
    if len(scores[["budget", "dataset", "split"]].drop_duplicates()) != 1:
        raise ValueError("a summary is of one budget, data set and split")
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
                "rendering is not reproducible, or a metric is wrong"
            )
    lower = table["metric"].map(lambda name: metrics[name].better == "lower")
    mean = table["metric"].map(table[table["model"] == "mean"].set_index("metric")["mean"])
    beats = (table["mean"] < mean).where(lower, table["mean"] > mean)
    table["beats_mean"] = beats.astype(object).where(mean.notna() & table["mean"].notna(), None)
    order = {name: place for place, name in enumerate(models)}, {name: place for place, name in enumerate(metrics)}
    table = table.assign(_model=table["model"].map(order[0]), _metric=table["metric"].map(order[1]))
    table = table.sort_values(["_model", "_metric"], ignore_index=True)
    return table[["model", "metric", "mean", "sd", "median", "folds", "items", "beats_mean"]]


def markdown(summary: pd.DataFrame) -> str:
    """Lay a summary out as the paper does, one row a model and one column a metric, as Markdown."""
    table = to_markdown(_labelled(summary))
    return table + (f"\n{DEAF} {EXPLAINED}\n" if deaf(summary) else "")


def latex(summary: pd.DataFrame) -> str:
    """Lay a summary out as LaTeX, for the package booktabs."""
    text = tabular(_labelled(summary))
    return text + (f"% {EXPLAINED}\n" if deaf(summary) else "")


def deaf(summary: pd.DataFrame) -> list[str]:
    """Models, controls aside, that are better than the mean preset in no metric of sound; to be told from the others."""
    audible = [metric.name for metric in registry().values() if metric.domain != "parameters"]
    rows = summary[summary["metric"].isin(audible) & ~summary["model"].map(is_control)].dropna(subset="beats_mean")
    beats = rows.groupby("model", sort=False)["beats_mean"].any()
    return beats.index[~beats.astype(bool)].tolist()


def lay_out(summary: pd.DataFrame, metrics: Sequence[Metric]) -> pd.DataFrame:
    """One row a model, one column a metric; the best model that is not a control is bold, in Markdown's way."""
    models = list(dict.fromkeys(summary["model"]))
    table = pd.DataFrame({"Model": models})
    for metric in metrics:
        rows = summary[summary["metric"] == metric.name].set_index("model")
        if rows.empty:
            continue
        rivals = rows.loc[[name for name in rows.index if not is_control(name)], "mean"].dropna()
        best = None if rivals.empty else rivals.idxmin() if metric.better == "lower" else rivals.idxmax()
        cells = []
        for name in models:
            if name not in rows.index or pd.isna(rows.loc[name, "mean"]):
                cells.append(ABSENT)
                continue
            mean, sd = rows.loc[name, ["mean", "sd"]]
            cell = number(mean) + ("" if pd.isna(sd) else f" ± {number(sd)}")
            cells.append(f"**{cell}**" if name == best else cell)
        table[heading(metric)] = cells
    return table


def _labelled(summary: pd.DataFrame) -> pd.DataFrame:
    """All metrics, laid out; a model with fewer folds than others says so, one that is `deaf` is marked."""
    table, folds = lay_out(summary, list(registry().values())), summary.groupby("model")["folds"].max()
    few = {model: f" ({count} of {folds.max()} folds)" for model, count in folds.items() if count < folds.max()}
    unheard = dict.fromkeys(deaf(summary), f" {DEAF}")
    table["Model"] = [model + few.get(model, "") + unheard.get(model, "") for model in table["Model"]]
    return table


def to_markdown(table: pd.DataFrame) -> str:
    """Print a table of text as Markdown."""
    return table.to_markdown(index=False, disable_numparse=True) + "\n"


def tabular(table: pd.DataFrame) -> str:
    """Print a table of text, in bold where Markdown has it so, as LaTeX for the package booktabs."""
    rows = [
        " & ".join(re.sub(r"\*\*(.*)\*\*", r"\\textbf{\1}", cell.translate(TO_LATEX)) for cell in row)
        for row in [table.columns, *table.itertuples(index=False)]
    ]
    head, *body = (row + r" \\" for row in rows)
    lines = [r"\toprule", head, r"\midrule", *body, r"\bottomrule"]
    columns = "l" + "r" * (len(table.columns) - 1)
    return "\n".join([f"\\begin{{tabular}}{{{columns}}}", *lines, r"\end{tabular}", ""])


def heading(metric: Metric) -> str:
    """Label of a metric with an arrow to its better side."""
    return f"{metric.label} {'↓' if metric.better == 'lower' else '↑'}"


def number(value: float) -> str:
    """Three significant digits, zeros at the end too, without an exponent where that is readable."""
    size = abs(value)
    if value == 0:
        return "0"
    if 1e-4 <= size < 999.5:
        return f"{value:#.3g}".removesuffix(".")
    return f"{value:,.0f}" if 999.5 <= size < 1e7 else f"{value:.2e}"


def change(share: float) -> str:
    """Write a change in percent; what rounds to nothing is neither more nor less."""
    return "0%" if abs(share) < 0.005 else f"{share:+.0%}"
