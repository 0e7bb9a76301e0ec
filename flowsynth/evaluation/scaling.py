"""What more of something brings: scores of the same models with more and more drawn presets, or after longer training.

With the same `epoch_items` in all budgets, trainings on more drawn presets are no longer: they see as many presets in all, and
what differs is how many of them are different ones.
"""

from collections.abc import Mapping

import pandas as pd

from flowsynth.core.seeding import derive_seed
from flowsynth.evaluation.statistics import interval, paired, resampled
from flowsynth.evaluation.summary import number, to_markdown
from flowsynth.metrics import JUDGE, registry

COLUMNS = ["amount", "model", "metric", "folds", "items", "mean", "low", "high", "median"]


def amount(scores: Mapping[int, pd.DataFrame], seed: int) -> pd.DataFrame:
    """Put the scores of budgets side by side.

    Args:
        scores: By number of drawn presets or of epochs, as made by `flowsynth.evaluation.summary.gather`.
        seed: Of the bootstrap.

    Returns:
        The columns of `COLUMNS`: means with the limits of their 95 % intervals over folds and items.
    """
    rows = []
    for given, table in scores.items():
        for metric in dict.fromkeys(table["metric"]):
            values = paired(table, metric)
            draws = pd.DataFrame(resampled(values, derive_seed(seed, "amount", metric)), columns=values.columns)
            folds = values.index.get_level_values("fold").nunique()
            means, medians = values.groupby(level="fold").mean().mean(), values.median()
            for model in values:
                low, high = interval(draws[model])
                rows.append((given, model, metric, folds, len(values), means[model], low, high, medians[model]))
    return pd.DataFrame(rows, columns=COLUMNS)


def markdown(table: pd.DataFrame, of: str) -> str:
    """Lay the metric that judges out: what it is over, and one row a model, one column an amount, intervals in brackets.

    Args:
        table: As made by `amount`.
        of: What there is more and more of.
    """
    rows = table[(table["metric"] == JUDGE) & (table["model"] != "oracle")]
    cells = rows.assign(
        cell=[f"{number(row.mean)} ({number(row.low)} to {number(row.high)})" for row in rows.itertuples()]
    )
    wide = cells.pivot(index="model", columns="amount", values="cell").loc[list(dict.fromkeys(rows["model"]))]
    wide.columns = [f"{given:,} {of}" for given in wide.columns]
    folds = table["folds"].max()
    over = f"{folds} folds and their sounds" if folds > 1 else "the sounds of one fold"
    means = f"{registry()[JUDGE].label} with its 95 % interval over {over}, by one training each."
    return f"{means}\n\n{to_markdown(wide.reset_index(names='Model'))}"
