"""Scaling: scores of the same models against the number of drawn presets, of training epochs, or of parameters to infer.

With the same `epoch_items` in all budgets, the number of drawn presets does not change the length of training: all
trainings process as many presets, and only the number of distinct ones differs.

References:
    Esling et al. 2019: 16 and 32 parameters. Esling et al. 2020, section "Increasing complexity".
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from flowsynth.core.seeding import derive_seed
from flowsynth.evaluation.score_tables import SYSTEM_COLUMNS, systems
from flowsynth.evaluation.statistics import bootstrap_means, interval, paired_scores
from flowsynth.evaluation.summary import format_table, number, summarise, to_latex, to_markdown
from flowsynth.metrics import PRIMARY_METRIC, registry

AMOUNT_COLUMNS = ["amount", "model", *SYSTEM_COLUMNS, "metric", "folds", "items", "mean", "low", "high", "median"]
NEAREST = "nearest"
PAPER_METRICS = ("parameter_mse_n", "spectral_convergence", "mel_mse")  # columns of the paper's table, in its order


def scores_by_amount(scores: Mapping[int, pd.DataFrame], seed: int) -> pd.DataFrame:
    """Summarise the scores of budgets that differ in the number of drawn presets or epochs.

    Args:
        scores: Scores, as returned by `flowsynth.evaluation.summary.gather`, by number of drawn presets or of epochs.
        seed: Seed of the bootstrap.

    Returns:
        The columns of `AMOUNT_COLUMNS`: means with the limits of their 95 % intervals over folds and items.
    """
    rows = []
    for amount, table in scores.items():
        for metric in dict.fromkeys(table["metric"]):
            values = paired_scores(table, metric)
            samples = pd.DataFrame(bootstrap_means(values, derive_seed(seed, "amount", metric)), columns=values.columns)
            folds = values.index.get_level_values("fold").nunique()
            means, medians = values.groupby(level="fold").mean().mean(), values.median()
            for model in values:
                low, high = interval(samples[model])
                rows.append((amount, model, metric, folds, len(values), means[model], low, high, medians[model]))
    described = systems(pd.concat([systems(table).reset_index() for table in scores.values()]))
    columns = [name for name in AMOUNT_COLUMNS if name not in SYSTEM_COLUMNS]
    return pd.DataFrame(rows, columns=columns).join(described, on="model")[AMOUNT_COLUMNS]


def amount_markdown(table: pd.DataFrame, unit: str) -> str:
    """Format the primary metric as Markdown: one row per model, one column per amount, intervals in brackets.

    Args:
        table: Table, as returned by `scores_by_amount`.
        unit: Unit of the amount, for the heads of the columns.
    """
    rows = table[(table["metric"] == PRIMARY_METRIC) & (table["model"] != "oracle")]
    cells = rows.assign(
        cell=[f"{number(row.mean)} ({number(row.low)} to {number(row.high)})" for row in rows.itertuples()]
    )
    wide = cells.pivot(index="model", columns="amount", values="cell").loc[list(dict.fromkeys(rows["model"]))]
    wide.columns = [f"{amount:,} {unit}" for amount in wide.columns]
    folds = table["folds"].max()
    over = f"{folds} folds and their sounds" if folds > 1 else "the sounds of one fold"
    caption = f"{registry()[PRIMARY_METRIC].label} with its 95 % interval over {over}, one training each."
    return f"{caption}\n\n{to_markdown(wide.reset_index(names='Model'))}"


def scores_by_parameter_count(scores: Mapping[str, tuple[int, pd.DataFrame]], models: Sequence[str]) -> pd.DataFrame:
    """Summarise the scores of data sets that differ in the number of parameters.

    Args:
        scores: Number of parameters and scores, as returned by `flowsynth.evaluation.summary.gather`, by data set.
        models: Names of the models in the order of the table.

    Returns:
        Columns dataset, parameters and those of `flowsynth.evaluation.summary.summarise`.
    """
    parts = []
    for name, (parameters, rows) in scores.items():
        summary = summarise(rows[rows["metric"].isin(PAPER_METRICS)], models)
        summary.insert(0, "dataset", name)
        summary.insert(1, "parameters", parameters)
        parts.append(summary)
    return pd.concat(parts, ignore_index=True)


def parameter_count_markdown(summary: pd.DataFrame) -> str:
    """Format the table as Markdown: one row per model, and for each data set one column per metric."""
    return to_markdown(_side_by_side(summary))


def parameter_count_finding(summary: pd.DataFrame) -> str:
    """State for which metrics and sizes no network has a lower mean than the control `NEAREST`."""
    parts = []
    for metric in PAPER_METRICS:
        rows = summary[summary["metric"] == metric]
        means = rows.pivot(index="parameters", columns="model", values="mean")
        networks = means[rows.loc[~rows["is_control"], "model"].unique()]
        sizes = [str(size) for size in means.index[networks.min(axis=1) >= means[NEAREST]]]
        if sizes:
            *others, last = sizes
            enumeration = f"{', '.join(others)} and {last}" if others else last
            parts.append(f"in {registry()[metric].label} with {enumeration} parameters")
    if not parts:
        return f"At least one network is better than `{NEAREST}` in each metric and with each number of parameters.\n"
    return f"No network is better than `{NEAREST}` {', or '.join(parts)}.\n"


def parameter_count_latex(summary: pd.DataFrame) -> str:
    """Format the table as LaTeX, for the package booktabs."""
    return to_latex(_side_by_side(summary))


def _side_by_side(summary: pd.DataFrame) -> pd.DataFrame:
    metrics = registry()
    parts = []
    for (_, parameters), rows in summary.groupby(["dataset", "parameters"], sort=False):
        part = format_table(rows, [metrics[name] for name in PAPER_METRICS]).set_index("Model")
        parts.append(part.add_prefix(f"{parameters}: "))
    return pd.concat(parts, axis=1).reset_index()
