"""Scaling: scores of the same models against the number of drawn training presets, or the number of training epochs.

With the same `epoch_items` in all budgets, the number of drawn presets does not change the length of training: all
trainings process as many presets, and only the number of distinct ones differs.
"""

from collections.abc import Mapping

import pandas as pd

from flowsynth.core.seeding import derive_seed
from flowsynth.evaluation.score_tables import SYSTEM_COLUMNS, systems
from flowsynth.evaluation.statistics import bootstrap_means, interval, paired_scores
from flowsynth.evaluation.summary import number, to_markdown
from flowsynth.metrics import PRIMARY_METRIC, registry

COLUMNS = ["amount", "model", *SYSTEM_COLUMNS, "metric", "folds", "items", "mean", "low", "high", "median"]


def scores_by_amount(scores: Mapping[int, pd.DataFrame], seed: int) -> pd.DataFrame:
    """Summarise the scores of budgets that differ in the number of drawn presets or epochs.

    Args:
        scores: Scores, as returned by `flowsynth.evaluation.summary.gather`, by number of drawn presets or of epochs.
        seed: Seed of the bootstrap.

    Returns:
        The columns of `COLUMNS`: means with the limits of their 95 % intervals over folds and items.
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
    columns = [name for name in COLUMNS if name not in SYSTEM_COLUMNS]
    return pd.DataFrame(rows, columns=columns).join(described, on="model")[COLUMNS]


def markdown(table: pd.DataFrame, unit: str) -> str:
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
