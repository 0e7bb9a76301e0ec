"""Comparison of our scores with those published in the paper.

They are not of the same sounds: the paper's synthesizer is Diva, whose presets and audio are not public at 16
parameters. Only the ranking of the models and their relative distances can be compared.

References:
    Esling et al. 2019, the table of results: mean and standard deviation over items and, for MSE_n, parameters.
"""

import pandas as pd

from flowsynth.evaluation.summary import heading, number, to_markdown
from flowsynth.metrics import registry


def with_published(
    scores: pd.DataFrame, published: pd.DataFrame, reasons: pd.DataFrame, parameters: int
) -> pd.DataFrame:
    """Join our scores with the published ones.

    Args:
        scores: Scores of all items, as returned by `flowsynth.evaluation.summary.gather`.
        published: Columns parameters, sounds, model, metric, mean, spread.
        reasons: Columns model, reason: why our scores differ.
        parameters: Number of parameters of our data set; the published scores of the nearest number are used.

    Returns:
        Columns model, metric, parameters (the paper's), published, published_spread, ours, spread (over items, as in
        the paper), ratio (ours to published), reason. Cells of models that were not run are empty.
    """
    sizes = published["parameters"].unique()
    nearest = min(sizes, key=lambda size: abs(size - parameters))
    theirs = published[(published["parameters"] == nearest) & (published["sounds"] == "in_domain")]
    ours = scores.groupby(["model", "metric"])["value"].agg(ours="mean", spread="std").reset_index()
    table = theirs.rename(columns={"mean": "published", "spread": "published_spread"})
    table = table.merge(ours, how="left", on=["model", "metric"]).merge(reasons, how="left", on="model")
    table["ratio"] = table["ours"] / table["published"]
    columns = ["model", "metric", "parameters", "published", "published_spread", "ours", "spread", "ratio", "reason"]
    return table[columns]


def markdown(table: pd.DataFrame) -> str:
    """Format the table as Markdown, one row per model and one column per metric, published / ours."""
    metrics = registry()
    rows = []
    for model, group in table.groupby("model", sort=False):
        cells = {"Model": model}
        for row in group.itertuples():
            ours = "not run" if pd.isna(row.ours) else f"{number(row.ours)} ± {number(row.spread)}"
            theirs = f"{number(row.published)} ± {number(row.published_spread)}"
            cells[f"{heading(metrics[row.metric])} (paper / ours)"] = f"{theirs} / {ours}"
        cells["Why they differ"] = group["reason"].iloc[0]
        rows.append(cells)
    return to_markdown(pd.DataFrame(rows))
