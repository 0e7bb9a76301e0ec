"""Scores against the number of inferred parameters: the paper's table, in its layout.

References:
    Esling et al. 2019: 16 and 32 parameters. Esling et al. 2020, section "Increasing complexity".
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from flowsynth.evaluation.summary import format_table, summarise, to_latex, to_markdown
from flowsynth.metrics import registry

NEAREST = "nearest"
METRICS = ("parameter_mse_n", "spectral_convergence", "mel_mse")  # the columns of the paper, in its order


def summarise_datasets(scores: Mapping[str, tuple[int, pd.DataFrame]], models: Sequence[str]) -> pd.DataFrame:
    """Summarise the scores of several data sets.

    Args:
        scores: Number of parameters and scores, as returned by `flowsynth.evaluation.summary.gather`, by data set.
        models: Names of the models in the order of the table.

    Returns:
        Columns dataset, parameters and those of `flowsynth.evaluation.summary.summarise`.
    """
    parts = []
    for name, (parameters, rows) in scores.items():
        summary = summarise(rows[rows["metric"].isin(METRICS)], models)
        summary.insert(0, "dataset", name)
        summary.insert(1, "parameters", parameters)
        parts.append(summary)
    return pd.concat(parts, ignore_index=True)


def markdown(summary: pd.DataFrame) -> str:
    """Format the table as Markdown: one row per model, and for each data set one column per metric."""
    return to_markdown(_side_by_side(summary))


def finding(summary: pd.DataFrame) -> str:
    """State for which metrics and sizes no network has a lower mean than the control `NEAREST`."""
    parts = []
    for metric in METRICS:
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


def latex(summary: pd.DataFrame) -> str:
    """Format the table as LaTeX, for the package booktabs."""
    return to_latex(_side_by_side(summary))


def _side_by_side(summary: pd.DataFrame) -> pd.DataFrame:
    metrics = registry()
    parts = []
    for (_, parameters), rows in summary.groupby(["dataset", "parameters"], sort=False):
        part = format_table(rows, [metrics[name] for name in METRICS]).set_index("Model")
        parts.append(part.add_prefix(f"{parameters}: "))
    return pd.concat(parts, axis=1).reset_index()
