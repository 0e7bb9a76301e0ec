"""Parameter selection ranks parameters that are used, vary independently and are audible."""

import numpy as np
import pandas as pd
import pytest

from flowsynth.data import parameter_selection

NAMES = ("wide", "narrow", "inaudible", "copy")


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    wide = rng.random(200)
    columns = {"wide": wide, "narrow": 0.5 + 0.1 * rng.random(200), "inaudible": rng.random(200), "copy": 0.9 * wide}
    table = pd.DataFrame({"base": np.full(200, 0.25), **columns})
    return pd.concat([pd.DataFrame({"id": range(200), "name": "n", "bank": "b"}), table], axis=1)


def weighted_distance(weights: dict[str, float], columns: list[str]):
    """Distance between sounds, modelled as a weighted distance between parameters."""
    weight = np.array([weights.get(name, 0) for name in columns])
    return lambda a, b: np.abs(a - b) @ weight


WEIGHTS = {"wide": 1.0, "narrow": 20.0, "copy": 2.0, "inaudible": 0.001}


def rank(table: pd.DataFrame, names=NAMES, weights=WEIGHTS, presets: int = 50, seed: int = 1) -> pd.DataFrame:
    distance = weighted_distance(weights, list(table.columns[3:]))
    return parameter_selection.rank(table, names, distance, presets, seed)


def test_usage_is_the_standard_deviation(table):
    scores = rank(table).set_index("parameter")
    for name in NAMES:
        assert scores.loc[name, "usage"] == pytest.approx(np.std(table[name]))


def test_pca_is_the_share_of_variance_on_the_kept_components(table):
    """Four uncorrelated columns are the components; the first two explain 92 % of the variance."""
    noise = np.random.default_rng(2).normal(size=(200, 4))
    values = np.linalg.qr(noise - noise.mean(axis=0))[0]
    values = values / values.std(axis=0) * np.sqrt([0.5, 0.42, 0.06, 0.02])
    table[list(NAMES)] = values
    scores = rank(table).set_index("parameter").loc[list(NAMES)]
    np.testing.assert_allclose(scores["pca"], [1, 1, 0, 0], atol=1e-9)


def test_pca_is_a_share(table):
    assert (rank(table)["pca"] <= 1 + 1e-12).all()


def test_screening_is_the_mean_distance_after_a_value_swap(table):
    scores = rank(table, presets=200).set_index("parameter")
    for name in NAMES:
        differences = np.abs(np.subtract.outer(table[name].to_numpy(), table[name].to_numpy())).mean()
        assert scores.loc[name, "screening"] == pytest.approx(WEIGHTS[name] * differences, rel=0.2)


def test_screening_swaps_one_parameter_at_a_time(table):
    calls = []

    def distance(reference: np.ndarray, swapped: np.ndarray) -> np.ndarray:
        calls.append((reference, swapped))
        return np.abs(reference - swapped).sum(axis=1)

    parameter_selection.rank(table, NAMES, distance, 50, 1)
    reference, swapped = calls[0]
    assert len(calls) == 1
    assert reference.shape == swapped.shape == (4 * 50, 5)
    columns = list(table.columns[3:])
    changed = reference != swapped
    for number, name in enumerate(NAMES):
        block = changed[50 * number : 50 * (number + 1)]
        assert block[:, columns.index(name)].mean() > 0.9
        assert not np.delete(block, columns.index(name), axis=1).any()
    assert len(np.unique(reference, axis=0)) == 50


def test_barely_audible_parameters_come_last_without_a_rank(table):
    scores = rank(table)
    assert scores["parameter"].iloc[-1] == "inaudible"
    assert scores["mean_rank"].isna().tolist() == [False, False, False, True]
    assert scores["screening"].iloc[-1] < parameter_selection.MIN_SCREENING


def test_mean_rank_averages_the_ranks_of_audible_parameters(table):
    scores = rank(table)
    audible = scores[scores["parameter"] != "inaudible"]
    ranks = audible[["usage", "pca", "screening"]].rank(ascending=False).mean(axis=1)
    np.testing.assert_allclose(audible["mean_rank"], ranks)
    assert audible["mean_rank"].is_monotonic_increasing


def test_parameter_that_is_best_in_all_scores_comes_first(table):
    scores = rank(table, names=("wide", "narrow"), weights={"wide": 100.0, "narrow": 1000.0 / 6})
    assert scores["parameter"].tolist() == ["wide", "narrow"]
    assert scores["mean_rank"].tolist() == [1, 2]


def test_scores_do_not_depend_on_the_order_of_names(table):
    first = rank(table).set_index("parameter")
    other = rank(table, names=NAMES[::-1]).set_index("parameter")
    columns = ["usage", "pca", "screening"]
    pd.testing.assert_frame_equal(first[columns], other.loc[first.index, columns], rtol=1e-9)


def test_screening_depends_on_the_seed(table):
    pd.testing.assert_frame_equal(rank(table), rank(table))
    assert (rank(table, seed=2)["screening"] != rank(table)["screening"]).any()


def test_constant_parameter_has_no_rank(table):
    table["narrow"] = 0.5
    scores = rank(table).set_index("parameter")
    assert scores.loc["narrow", "usage"] == 0
    assert np.isnan(scores.loc["narrow", "mean_rank"])


def test_no_parameter_is_ranked_if_none_is_audible(table):
    scores = rank(table, weights={})
    assert scores["mean_rank"].isna().all()
