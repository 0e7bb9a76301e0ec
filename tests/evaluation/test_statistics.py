"""Statistics: against closed forms and against data whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f as f_distribution

from flowsynth.evaluation.statistics import anova, compare, paired, resampled, resampled_medians


def scores(values: dict[str, np.ndarray], metric: str = "mel_mse", folds: int = 1) -> pd.DataFrame:
    """Scores by model; an array has one value an item, items are dealt to the folds in turn."""
    rows = [
        {"model": model, "metric": metric, "fold": i % folds, "item": f"i{i}", "sample": 0, "value": value}
        for model, column in values.items()
        for i, value in enumerate(column)
    ]
    return pd.DataFrame(rows)


def test_anova_by_hand():
    a, b, c = np.array([1.0, 2, 3]), np.array([2.0, 3, 4]), np.array([6.0, 7, 8])
    between = 3 * sum((x.mean() - 4) ** 2 for x in (a, b, c)) / 2
    within = sum(((x - x.mean()) ** 2).sum() for x in (a, b, c)) / 6
    row = anova(scores({"a": a, "b": b, "c": c})).iloc[0]
    assert row["F"] == pytest.approx(between / within)
    assert row["p"] == pytest.approx(f_distribution.sf(between / within, 2, 6))
    assert (row["models"], row["items"]) == (3, 3)


def test_the_oracle_is_not_compared():
    values = np.random.default_rng(0).random(20)
    frame = scores({"oracle": 0 * values, "a": values, "b": values + 1})
    assert anova(frame)["models"].item() == 2
    assert compare(frame, 1)[["first", "second"]].to_numpy().tolist() == [["a", "b"]]


def test_a_small_difference_that_is_there_in_every_item_is_found():
    """Far smaller than the spread over items: only a paired test sees it."""
    values = np.random.default_rng(0).normal(size=40)
    frame = scores({"a": values, "b": values + 0.01}, folds=3)
    row = compare(frame, 1).iloc[0]
    assert row["differ"]
    assert row["median_difference"] == pytest.approx(-0.01)
    assert anova(frame)["p"].item() > 0.5


def test_models_that_do_not_differ_are_rarely_said_to():
    """Six models of pure noise, 15 comparisons: without correction half of the tables would have a false one."""
    false = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        false += compare(scores({name: rng.normal(size=30) for name in "abcdef"}), 1)["differ"].any()
    assert false <= 4


def test_holms_correction_by_hand():
    rng = np.random.default_rng(3)
    frame = scores({"a": rng.normal(size=30), "b": rng.normal(0.4, size=30), "c": rng.normal(1.5, size=30)})
    table = compare(frame, 1).sort_values("p")
    expected = np.maximum.accumulate(table["p"] * [3, 2, 1]).clip(upper=1)
    np.testing.assert_allclose(table["p_holm"], expected)


def test_an_item_without_a_value_is_left_out_for_all_models():
    frame = scores({"a": np.array([1.0, np.nan, 3]), "b": np.array([2.0, 5, 6])})
    assert len(paired(frame, "mel_mse")) == 2
    assert compare(frame, 1)["items"].item() == 2


def test_equal_models_do_not_differ():
    values = np.arange(10.0)
    row = compare(scores({"a": values, "b": values}), 1).iloc[0]
    assert (row["p"], row["p_holm"], row["differ"]) == (1, 1, False)


def test_the_interval_of_one_fold_is_that_of_the_mean():
    rng = np.random.default_rng(5)
    frame = scores({"a": rng.normal(0.3, size=200), "b": np.zeros(200)})
    row = compare(frame, 1).iloc[0]
    half = 1.96 * paired(frame, "mel_mse")["a"].std() / np.sqrt(200)
    assert (row["high"] - row["low"]) / 2 == pytest.approx(half, rel=0.1)
    assert (row["high"] + row["low"]) / 2 == pytest.approx(row["mean_difference"], abs=half / 10)


def test_what_differs_in_every_item_but_in_other_directions_from_training_to_training_is_no_difference():
    """Wilcoxon's test, which has three hundred items, calls it one; the folds say that another training may turn it."""
    fold = np.arange(300) % 3
    rng = np.random.default_rng(0)
    frame = scores({"a": np.array([0.5, 0.4, -0.4])[fold] + 0.1 * rng.normal(size=300), "b": np.zeros(300)}, folds=3)
    row = compare(frame, 1).iloc[0]
    assert row["p_holm"] < 0.001
    assert row["low"] < 0 < row["high"]
    assert not row["differ"]


def test_a_model_that_is_slightly_worse_in_every_training_is_found():
    rng = np.random.default_rng(0)
    values = rng.normal(size=300)
    row = compare(scores({"a": values, "b": values + 0.02 + 0.05 * rng.normal(size=300)}, folds=3), 1).iloc[0]
    assert row["differ"]
    assert row["high"] < 0


def test_resamples_are_paired_and_have_the_mean_of_the_folds_means():
    values = pd.DataFrame(
        {"a": [1.0, 2, 3, 10], "b": [2.0, 3, 4, 11]},
        index=pd.MultiIndex.from_tuples([(0, "x"), (0, "y"), (0, "z"), (1, "x")], names=["fold", "item"]),
    )
    drawn = resampled(values, 1)
    assert np.allclose(drawn[:, 1] - drawn[:, 0], 1)
    assert drawn[:, 0].mean() == pytest.approx(6, abs=0.3)
    assert np.array_equal(drawn, resampled(values, 1))


def test_medians_are_of_all_items_and_paired():
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([range(3), range(201)], names=["fold", "item"])
    values = pd.DataFrame({"a": rng.gamma(1.0, 1.0, 603)}, index=index).assign(b=lambda table: table["a"] + 1)
    drawn = resampled_medians(values, 1)
    assert np.allclose(drawn[:, 1] - drawn[:, 0], 1)
    assert np.median(drawn[:, 0]) == pytest.approx(values["a"].median(), abs=0.02)
    assert 0.03 < drawn[:, 0].std() < 0.09  # 1 / sqrt(603) of an exponential, a little more as folds are drawn too
    assert resampled_medians(values.iloc[:1], 1).tolist() == [values.iloc[0].tolist()] * len(drawn)


def test_what_is_better_on_most_items_and_much_worse_on_few_is_no_difference():
    """The test and the interval contradict each other."""
    rng = np.random.default_rng(0)
    values = -0.05 + 0.01 * rng.normal(size=300)
    values[::20] = 3
    row = compare(scores({"a": values, "b": np.zeros(300)}, folds=3), 1).iloc[0]
    assert row["p_holm"] < 0.001
    assert row["low"] > 0
    assert not row["differ"]


@pytest.mark.parametrize(
    ("parts", "differ"),
    [
        ([(156, 0.01), (114, -0.3)], True),  # most are worse, but larger ranks and the mean are of the better ones
        (
            [(140, -0.01), (115, 0.1), (15, -3.0)],
            False,
        ),  # most are better and so is the mean, but the larger ranks are not
    ],
)
def test_items_that_are_equal_say_nothing_of_the_direction(parts: list[tuple[int, float]], differ: bool):
    given = np.concatenate([np.zeros(699), *(np.full(count, size) for count, size in parts)])
    rng = np.random.default_rng(0)
    values = rng.permutation(given * (1 + 0.01 * rng.random(969)))
    row = compare(scores({"a": values, "b": np.zeros(969)}, folds=3), 1).iloc[0]
    assert row["p_holm"] < 0.05
    assert row["high"] < 0
    assert row["differ"] == differ
