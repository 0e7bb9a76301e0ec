"""Items are selected by their rank, independently of the order of the table."""

import numpy as np
import pandas as pd
import pytest

from flowsynth.evaluation.example_selection import select, selected_items


def scores(values: list[float], metric: str = "log_mel_l1", model: str = "cnn") -> pd.DataFrame:
    items = [f"item{i}" for i in range(len(values))]
    return pd.DataFrame({"model": model, "fold": 0, "item": items, "sample": 0, "metric": metric, "value": values})


def test_items_are_at_the_deciles_and_the_median():
    values = np.random.default_rng(0).permutation(101) / 100
    selection = select(scores(values.tolist()), seed=1).set_index("role")
    assert selection.loc[["best", "typical", "worst"], "value"].tolist() == [0.1, 0.5, 0.9]
    assert selection.loc["typical", "item"] == f"item{values.tolist().index(0.5)}"
    assert (selection["items"] == 101).all()
    assert "median by Log-mel L1 of cnn" in selection.loc["typical", "reason"]


def test_best_item_has_the_highest_value_if_higher_is_better():
    table = scores([i / 100 for i in range(101)], metric="rms")
    assert select(table, seed=1, metric="rms").set_index("role").loc["best", "value"] == 0.9


def test_selection_depends_on_the_seed_but_not_on_row_order():
    table = scores([0.5] * 50)
    first = select(table, seed=1)
    assert select(table.sample(frac=1, random_state=0), seed=1).equals(first)
    other = select(table, seed=2)
    assert selected_items(first, "drawn") != selected_items(other, "drawn")
    assert selected_items(first, "typical") != selected_items(other, "typical")


def test_items_are_drawn_without_replacement():
    drawn = selected_items(select(scores([0.1 * i for i in range(30)]), seed=1), "drawn")
    assert len(drawn) == len(set(drawn)) == 10
    assert len(selected_items(select(scores([0.1, 0.2, 0.3]), seed=1), "drawn")) == 3


def test_mean_over_samples_counts():
    table = pd.concat([scores([0.0, 1.0, 2.0]), scores([2.0, 1.0, 2.0]).assign(sample=1)])
    assert select(table, seed=1).set_index("role").loc["best", "value"] == 1.0


def test_items_without_a_score_are_not_selected():
    selection = select(scores([float("nan"), 0.1, 0.2, 0.3]), seed=1)
    assert "item0" not in selection["item"].tolist()
    with pytest.raises(ValueError, match="2 items of cnn, fold 0"):
        select(scores([0.1, 0.2, float("nan")]), seed=1)


def test_several_models_are_rejected():
    with pytest.raises(ValueError, match="'model': 'mlp', 'fold': 0"):
        select(pd.concat([scores([0.1] * 3), scores([0.2] * 3, model="mlp")]), seed=1)
