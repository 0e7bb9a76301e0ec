"""Statistics, against closed forms and simulated data."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f as f_distribution

from flowsynth.evaluation.statistics import anova, bootstrap_means, bootstrap_medians, compare, paired_scores


def scores(values: dict[str, np.ndarray], metric: str = "mel_mse", folds: int = 1) -> pd.DataFrame:
    """Scores by model; an array has one value per item, items are assigned to the folds in turn."""
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


def test_oracle_is_excluded():
    values = np.random.default_rng(0).random(20)
    frame = scores({"oracle": 0 * values, "a": values, "b": values + 1})
    assert anova(frame)["models"].item() == 2
    assert compare(frame, 1)[["first", "second"]].to_numpy().tolist() == [["a", "b"]]


def test_small_difference_in_every_item_is_significant():
    """The difference is far smaller than the standard deviation over items: only a paired test detects it."""
    values = np.random.default_rng(0).normal(size=40)
    frame = scores({"a": values, "b": values + 0.01}, folds=3)
    row = compare(frame, 1).iloc[0]
    assert row["differ"]
    assert row["median_difference"] == pytest.approx(-0.01)
    assert anova(frame)["p"].item() > 0.5


@pytest.mark.slow
def test_false_positives_are_rare():
    """Six models of pure noise, 15 comparisons: without correction half of the tables would have a false positive."""
    false_positives = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        false_positives += compare(scores({name: rng.normal(size=30) for name in "abcdef"}), 1)["differ"].any()
    assert false_positives <= 2


def test_holm_correction_by_hand():
    rng = np.random.default_rng(3)
    frame = scores({"a": rng.normal(size=30), "b": rng.normal(0.4, size=30), "c": rng.normal(1.5, size=30)})
    table = compare(frame, 1).sort_values("p")
    expected = np.maximum.accumulate(table["p"] * [3, 2, 1]).clip(upper=1)
    np.testing.assert_allclose(table["p_holm"], expected)


def test_item_without_a_value_is_excluded_for_all_models():
    frame = scores({"a": np.array([1.0, np.nan, 3]), "b": np.array([2.0, 5, 6])})
    assert len(paired_scores(frame, "mel_mse")) == 2
    assert compare(frame, 1)["items"].item() == 2


def test_equal_models_do_not_differ():
    values = np.arange(10.0)
    row = compare(scores({"a": values, "b": values}), 1).iloc[0]
    assert (row["p"], row["p_holm"], row["differ"]) == (1, 1, False)


def test_interval_of_one_fold_is_that_of_the_mean():
    rng = np.random.default_rng(5)
    frame = scores({"a": rng.normal(0.3, size=200), "b": np.zeros(200)})
    row = compare(frame, 1).iloc[0]
    half = 1.96 * paired_scores(frame, "mel_mse")["a"].std() / np.sqrt(200)
    assert (row["high"] - row["low"]) / 2 == pytest.approx(half, rel=0.1)
    assert (row["high"] + row["low"]) / 2 == pytest.approx(row["mean_difference"], abs=half / 10)


def test_difference_of_varying_sign_over_folds_is_insignificant():
    """Wilcoxon's test on 300 items is significant, but the sign varies between folds, that is, between trainings."""
    fold = np.arange(300) % 3
    rng = np.random.default_rng(0)
    frame = scores({"a": np.array([0.5, 0.4, -0.4])[fold] + 0.1 * rng.normal(size=300), "b": np.zeros(300)}, folds=3)
    row = compare(frame, 1).iloc[0]
    assert row["p_holm"] < 0.001
    assert row["low"] < 0 < row["high"]
    assert not row["differ"]


def test_small_difference_in_every_training_is_significant():
    rng = np.random.default_rng(0)
    values = rng.normal(size=300)
    row = compare(scores({"a": values, "b": values + 0.02 + 0.05 * rng.normal(size=300)}, folds=3), 1).iloc[0]
    assert row["differ"]
    assert row["high"] < 0


def test_bootstrap_means_are_paired_and_unbiased():
    values = pd.DataFrame(
        {"a": [1.0, 2, 3, 10], "b": [2.0, 3, 4, 11]},
        index=pd.MultiIndex.from_tuples([(0, "x"), (0, "y"), (0, "z"), (1, "x")], names=["fold", "item"]),
    )
    samples = bootstrap_means(values, 1)
    assert np.allclose(samples[:, 1] - samples[:, 0], 1)
    assert samples[:, 0].mean() == pytest.approx(6, abs=0.3)
    assert np.array_equal(samples, bootstrap_means(values, 1))


def test_bootstrap_medians_are_paired_and_of_all_items():
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([range(3), range(201)], names=["fold", "item"])
    values = pd.DataFrame({"a": rng.gamma(1.0, 1.0, 603)}, index=index).assign(b=lambda table: table["a"] + 1)
    samples = bootstrap_medians(values, 1)
    assert np.allclose(samples[:, 1] - samples[:, 0], 1)
    assert np.median(samples[:, 0]) == pytest.approx(values["a"].median(), abs=0.02)
    assert 0.03 < samples[:, 0].std() < 0.09  # 1 / sqrt(603) for an exponential, plus the resampling of folds
    assert bootstrap_medians(values.iloc[:1], 1).tolist() == [values.iloc[0].tolist()] * len(samples)


def test_contradicting_test_and_interval_are_insignificant():
    """The test and the interval favour different models."""
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
        ([(156, 0.01), (114, -0.3)], True),  # most items are worse, but the larger ranks and the mean are better
        ([(140, -0.01), (115, 0.1), (15, -3.0)], False),  # most items and the mean are better, the larger ranks worse
    ],
)
def test_equal_items_do_not_affect_the_direction(parts: list[tuple[int, float]], differ: bool):
    differences = np.concatenate([np.zeros(699), *(np.full(count, size) for count, size in parts)])
    rng = np.random.default_rng(0)
    values = rng.permutation(differences * (1 + 0.01 * rng.random(969)))
    row = compare(scores({"a": values, "b": np.zeros(969)}, folds=3), 1).iloc[0]
    assert row["p_holm"] < 0.05
    assert row["high"] < 0
    assert row["differ"] == differ
