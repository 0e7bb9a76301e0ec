"""Which test items are shown: chosen by a rule from the scores of a model, never by hand.

The best, the typical and the worst item are those at the best decile, the median and the worst decile of the model's
scores; an item at the very end says more of that item than of the model. The sounds of an experiment are drawn by a seed.
"""

import pandas as pd

from flowsynth.core.seeding import uniform_by_id
from flowsynth.metrics import registry

METRIC = "log_mel_l1"
PLACES = {"best": 0.1, "typical": 0.5, "worst": 0.9}  # share of the items that are better
SAID = {"best": "at the best decile", "typical": "at the median", "worst": "at the worst decile"}
DRAWN = 10  # items for experiments


def select(scores: pd.DataFrame, seed: int, metric: str = METRIC, drawn: int = DRAWN) -> pd.DataFrame:
    """Choose items.

    Args:
        scores: Of one model on one fold, as made by `flowsynth.evaluation.scoring.score`; of several samples the mean counts.
        seed: Of the order of items with the same score, and of the items that are drawn.
        metric: To choose by.
        drawn: Number of items to draw; all, if there are fewer.

    Returns:
        Columns role (``best``, ``typical``, ``worst``, and ``drawn`` several times), item, rank (from 0, the best), items,
        model, fold, metric, value, reason.

    Raises:
        ValueError: If the scores are of several models or folds, or fewer than three items have a score.
    """
    labels = scores[["model", "fold"]].drop_duplicates()
    if len(labels) != 1:
        raise ValueError(f"items are chosen by the scores of one model and fold, got {labels.to_dict('records')}")
    model, fold = labels.iloc[0]
    rows = scores[scores["metric"] == metric].dropna(subset="value")
    table = rows.groupby("item", as_index=False)["value"].mean()
    if len(table) < len(PLACES):
        raise ValueError(
            f"{len(table)} items of {model}, fold {fold}, have a {metric}, expected at least {len(PLACES)}"
        )
    lower = registry()[metric].better == "lower"
    table["chance"] = uniform_by_id(table["item"], seed, "selection", fold)
    table = table.sort_values(["value", "chance"], ascending=[lower, True], ignore_index=True)
    table = table.rename_axis("rank").reset_index()
    said = f"by {registry()[metric].label} of {model} in the test part of fold {fold}"
    parts = []
    for role, share in PLACES.items():
        row = table.iloc[[round(share * (len(table) - 1))]]
        parts.append(row.assign(role=role, reason=f"{SAID[role]} {said}"))
    chance = table.sort_values("chance").head(drawn)
    parts.append(chance.assign(role="drawn", reason=f"drawn from the test part of fold {fold} with the seed {seed}"))
    chosen = pd.concat(parts).assign(items=len(table), model=model, fold=fold, metric=metric)
    return chosen[["role", "item", "rank", "items", "model", "fold", "metric", "value", "reason"]]


def items_of(chosen: pd.DataFrame, *roles: str) -> list[str]:
    """Ids of the items that were chosen for some roles, in the order of the roles."""
    return [item for role in roles for item in chosen.loc[chosen["role"] == role, "item"]]
