"""Selection of the test items shown on pages and in figures: by the scores of a model, never by hand.

The best, the typical and the worst item are those at the best decile, the median and the worst decile of the model's
scores; the extremes would say more about the item than about the model. Items for experiments are drawn with a seed.
"""

import pandas as pd

from flowsynth.core.seeding import uniform_by_id
from flowsynth.metrics import PRIMARY_METRIC, registry

QUANTILES = {"best": 0.1, "typical": 0.5, "worst": 0.9}  # share of the items with a better score
DESCRIPTIONS = {"best": "at the best decile", "typical": "at the median", "worst": "at the worst decile"}
DRAWN = 10  # items for experiments


def select(scores: pd.DataFrame, seed: int, metric: str = PRIMARY_METRIC, drawn: int = DRAWN) -> pd.DataFrame:
    """Select items by their score.

    Args:
        scores: Scores of one model on one fold, as returned by `flowsynth.evaluation.scoring.score`; the mean over
            samples counts.
        seed: Seed of the order of items with equal scores, and of the drawn items.
        metric: Name of the metric.
        drawn: Maximum number of items to draw.

    Returns:
        Columns role (``best``, ``typical``, ``worst``, and ``drawn`` several times), item, rank (from 0, the best),
        items, model, fold, metric, value, reason.

    Raises:
        ValueError: If the scores are of several models or folds, or fewer than three items have a score.
    """
    labels = scores[["model", "fold"]].drop_duplicates()
    if len(labels) != 1:
        raise ValueError(f"items are selected by the scores of one model and fold, got {labels.to_dict('records')}")
    model, fold = labels.iloc[0]
    rows = scores[scores["metric"] == metric].dropna(subset="value")
    table = rows.groupby("item", as_index=False)["value"].mean()
    if len(table) < len(QUANTILES):
        raise ValueError(
            f"{len(table)} items of {model}, fold {fold}, have a {metric}, expected at least {len(QUANTILES)}"
        )
    lower = registry()[metric].better == "lower"
    table["chance"] = uniform_by_id(table["item"], seed, "selection", fold)
    table = table.sort_values(["value", "chance"], ascending=[lower, True], ignore_index=True)
    table = table.rename_axis("rank").reset_index()
    criterion = f"by {registry()[metric].label} of {model} in the test set of fold {fold}"
    parts = []
    for role, share in QUANTILES.items():
        row = table.iloc[[round(share * (len(table) - 1))]]
        parts.append(row.assign(role=role, reason=f"{DESCRIPTIONS[role]} {criterion}"))
    random_items = table.sort_values("chance").head(drawn)
    reason = f"drawn from the test set of fold {fold} with the seed {seed}"
    parts.append(random_items.assign(role="drawn", reason=reason))
    selection = pd.concat(parts).assign(items=len(table), model=model, fold=fold, metric=metric)
    return selection[["role", "item", "rank", "items", "model", "fold", "metric", "value", "reason"]]


def selected_items(selection: pd.DataFrame, *roles: str) -> list[str]:
    """Return the ids of the items selected for some roles, in the order of the roles."""
    return [item for role in roles for item in selection.loc[selection["role"] == role, "item"]]
