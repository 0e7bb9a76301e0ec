"""The choice of parameters ranks those that are used, vary on their own and are heard."""

import numpy as np
import pandas as pd
import pytest

from flowsynth.data import parameter_selection

NAMES = ("wide", "narrow", "unheard", "copy")


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    wide = rng.random(200)
    columns = {"wide": wide, "narrow": 0.5 + 0.1 * rng.random(200), "unheard": rng.random(200), "copy": 0.9 * wide}
    table = pd.DataFrame({"base": np.full(200, 0.25), **columns})
    return pd.concat([pd.DataFrame({"id": range(200), "name": "n", "bank": "b"}), table], axis=1)


def heard(weights: dict[str, float], columns: list[str]):
    """A distance of sounds that is a weighted distance of parameters."""
    weight = np.array([weights.get(name, 0) for name in columns])
    return lambda a, b: np.abs(a - b) @ weight


WEIGHTS = {"wide": 1.0, "narrow": 20.0, "copy": 2.0, "unheard": 0.001}


def rank(table: pd.DataFrame, names=NAMES, weights=WEIGHTS, presets: int = 50, seed: int = 1) -> pd.DataFrame:
    distance = heard(weights, list(table.columns[3:]))
    return parameter_selection.rank(table, names, distance, presets, seed)


def test_usage_is_the_standard_deviation(table):
    figures = rank(table).set_index("parameter")
    for name in NAMES:
        assert figures.loc[name, "usage"] == pytest.approx(np.std(table[name]))


def test_pca_is_the_share_of_variance_on_the_components_kept(table):
    """Four uncorrelated columns are their own components, and the first two of them have 92 % of the variance."""
    noise = np.random.default_rng(2).normal(size=(200, 4))
    values = np.linalg.qr(noise - noise.mean(axis=0))[0]
    values = values / values.std(axis=0) * np.sqrt([0.5, 0.42, 0.06, 0.02])
    table[list(NAMES)] = values
    figures = rank(table).set_index("parameter").loc[list(NAMES)]
    np.testing.assert_allclose(figures["pca"], [1, 1, 0, 0], atol=1e-9)


def test_pca_is_a_share(table):
    assert (rank(table)["pca"] <= 1 + 1e-12).all()


def test_screening_is_how_much_a_sound_changes_with_the_value_of_another_preset(table):
    figures = rank(table, presets=200).set_index("parameter")
    for name in NAMES:
        differences = np.abs(np.subtract.outer(table[name].to_numpy(), table[name].to_numpy())).mean()
        assert figures.loc[name, "screening"] == pytest.approx(WEIGHTS[name] * differences, rel=0.2)


def test_screening_changes_one_parameter_at_a_time_of_so_many_presets(table):
    seen = []

    def distance(reference: np.ndarray, swapped: np.ndarray) -> np.ndarray:
        seen.append((reference, swapped))
        return np.abs(reference - swapped).sum(axis=1)

    parameter_selection.rank(table, NAMES, distance, 50, 1)
    reference, swapped = seen[0]
    assert len(seen) == 1
    assert reference.shape == swapped.shape == (4 * 50, 5)
    columns = list(table.columns[3:])
    changed = reference != swapped
    for number, name in enumerate(NAMES):
        block = changed[50 * number : 50 * (number + 1)]
        assert block[:, columns.index(name)].mean() > 0.9
        assert not np.delete(block, columns.index(name), axis=1).any()
    assert len(np.unique(reference, axis=0)) == 50


def test_what_is_hardly_heard_comes_last_and_without_a_rank(table):
    figures = rank(table)
    assert figures["parameter"].iloc[-1] == "unheard"
    assert figures["mean_rank"].isna().tolist() == [False, False, False, True]
    assert figures["screening"].iloc[-1] < parameter_selection.HEARD


def test_the_mean_rank_is_that_of_the_three_figures_among_those_heard(table):
    figures = rank(table)
    kept = figures[figures["parameter"] != "unheard"]
    ranks = kept[["usage", "pca", "screening"]].rank(ascending=False).mean(axis=1)
    np.testing.assert_allclose(kept["mean_rank"], ranks)
    assert kept["mean_rank"].is_monotonic_increasing


def test_a_parameter_that_is_best_in_all_comes_first(table):
    figures = rank(table, names=("wide", "narrow"), weights={"wide": 100.0, "narrow": 1000.0 / 6})
    assert figures["parameter"].tolist() == ["wide", "narrow"]
    assert figures["mean_rank"].tolist() == [1, 2]


def test_the_names_order_does_not_matter_to_the_figures(table):
    one = rank(table).set_index("parameter")
    other = rank(table, names=NAMES[::-1]).set_index("parameter")
    figures = ["usage", "pca", "screening"]
    pd.testing.assert_frame_equal(one[figures], other.loc[one.index, figures], rtol=1e-9)


def test_the_same_seed_screens_the_same_presets(table):
    pd.testing.assert_frame_equal(rank(table), rank(table))
    assert (rank(table, seed=2)["screening"] != rank(table)["screening"]).any()


def test_a_parameter_that_never_varies_has_no_rank(table):
    table["narrow"] = 0.5
    figures = rank(table).set_index("parameter")
    assert figures.loc["narrow", "usage"] == 0
    assert np.isnan(figures.loc["narrow", "mean_rank"])


def test_when_nothing_is_heard_nothing_has_a_rank(table):
    figures = rank(table, weights={})
    assert figures["mean_rank"].isna().all()
