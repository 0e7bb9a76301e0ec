"""The items shown are where the rule says, whoever asks."""

import numpy as np
import pandas as pd
import pytest

from flowsynth.evaluation.example_selection import items_of, select


def scores(values: list[float], metric: str = "log_mel_l1", model: str = "cnn") -> pd.DataFrame:
    items = [f"item{i}" for i in range(len(values))]
    return pd.DataFrame({"model": model, "fold": 0, "item": items, "sample": 0, "metric": metric, "value": values})


def test_the_items_are_at_the_deciles_and_the_median():
    values = np.random.default_rng(0).permutation(101) / 100
    chosen = select(scores(values.tolist()), seed=1).set_index("role")
    assert chosen.loc[["best", "typical", "worst"], "value"].tolist() == [0.1, 0.5, 0.9]
    assert chosen.loc["typical", "item"] == f"item{values.tolist().index(0.5)}"
    assert (chosen["items"] == 101).all()
    assert "median by Log-mel L1 of cnn" in chosen.loc["typical", "reason"]


def test_the_best_is_the_highest_where_higher_is_better():
    table = scores([i / 100 for i in range(101)], metric="rms")
    assert select(table, seed=1, metric="rms").set_index("role").loc["best", "value"] == 0.9


def test_the_order_of_the_table_makes_no_difference_and_the_seed_one_for_what_is_drawn():
    table = scores([0.5] * 50)
    first = select(table, seed=1)
    assert select(table.sample(frac=1, random_state=0), seed=1).equals(first)
    other = select(table, seed=2)
    assert items_of(first, "drawn") != items_of(other, "drawn")
    assert items_of(first, "typical") != items_of(other, "typical")


def test_items_are_drawn_once_each():
    drawn = items_of(select(scores([0.1 * i for i in range(30)]), seed=1), "drawn")
    assert len(drawn) == len(set(drawn)) == 10
    assert len(items_of(select(scores([0.1, 0.2, 0.3]), seed=1), "drawn")) == 3


def test_several_samples_count_by_their_mean():
    table = pd.concat([scores([0.0, 1.0, 2.0]), scores([2.0, 1.0, 2.0]).assign(sample=1)])
    assert select(table, seed=1).set_index("role").loc["best", "value"] == 1.0


def test_items_without_a_score_are_not_chosen():
    chosen = select(scores([float("nan"), 0.1, 0.2, 0.3]), seed=1)
    assert "item0" not in chosen["item"].tolist()
    with pytest.raises(ValueError, match="2 items of cnn, fold 0, have a log_mel_l1, expected at least 3"):
        select(scores([0.1, 0.2, float("nan")]), seed=1)


def test_one_model_and_fold_at_a_time():
    with pytest.raises(ValueError, match="one model and fold"):
        select(pd.concat([scores([0.1] * 3), scores([0.2] * 3, model="mlp")]), seed=1)
