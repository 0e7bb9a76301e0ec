"""How scores change with the number of parameters to infer: the paper's table, in its layout.

References:
    Esling et al. 2019: 16 and 32 parameters. Esling et al. 2020, section "Increasing complexity".
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from flowsynth.evaluation.summary import lay_out, summarise, tabular, to_markdown
from flowsynth.metrics import registry
from flowsynth.models.registry import is_control

RIVAL = "nearest"
METRICS = ("parameter_mse_n", "spectral_convergence", "mel_mse")  # the columns of the paper, in its order


def table(scores: Mapping[str, tuple[int, pd.DataFrame]], models: Sequence[str]) -> pd.DataFrame:
    """Summarise the scores of several data sets.

    Args:
        scores: By data set: its number of parameters, and its scores as made by `flowsynth.evaluation.summary.gather`.
        models: In the order wanted.

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
    """Lay the table out as Markdown: one row a model, and for each data set one column a metric."""
    return to_markdown(_layout(summary))


def finding(summary: pd.DataFrame) -> str:
    """Say where none of the networks is below the control `RIVAL`, in each metric."""
    parts = []
    for metric in METRICS:
        rows = summary[summary["metric"] == metric]
        means = rows.pivot(index="parameters", columns="model", values="mean")
        networks = means[[name for name in means.columns if not is_control(name)]]
        sizes = [str(size) for size in means.index[networks.min(axis=1) >= means[RIVAL]]]
        if sizes:
            *others, last = sizes
            listed = f"{', '.join(others)} and {last}" if others else last
            parts.append(f"in {registry()[metric].label} with {listed} parameters")
    if not parts:
        return f"Some network comes below `{RIVAL}` in each of these metrics, with each number of parameters.\n"
    return f"None of these networks comes below `{RIVAL}` {', or '.join(parts)}.\n"


def latex(summary: pd.DataFrame) -> str:
    """Lay the table out as LaTeX, for the package booktabs."""
    return tabular(_layout(summary))


def _layout(summary: pd.DataFrame) -> pd.DataFrame:
    metrics = registry()
    parts = []
    for (_, parameters), rows in summary.groupby(["dataset", "parameters"], sort=False):
        part = lay_out(rows, [metrics[name] for name in METRICS]).set_index("Model")
        parts.append(part.add_prefix(f"{parameters}: "))
    return pd.concat(parts, axis=1).reset_index()
