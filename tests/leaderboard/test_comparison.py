"""A candidate is told better, worse or no different for what it is."""

import numpy as np
import pandas as pd
import pytest

from flowsynth.leaderboard.comparison import COLUMNS, against, extremes

ITEMS, FOLDS = 120, 3


def scores(values: dict[str, np.ndarray], metric: str = "log_mel_l1") -> pd.DataFrame:
    """Scores by model; an array is folds x items."""
    rows = [
        ("cpu", "amsynth16", "grouped", fold, model, f"i{item:03d}", 0, metric, table[fold, item])
        for model, table in values.items()
        for fold in range(FOLDS)
        for item in range(ITEMS)
    ]
    columns = ["budget", "dataset", "split", "fold", "model", "item", "sample", "metric", "value"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def base() -> np.ndarray:
    return np.random.default_rng(0).gamma(2.0, 0.2, (FOLDS, ITEMS))


def verdicts(frame: pd.DataFrame) -> dict[str, str]:
    table = against(frame, "mine", 1)
    assert list(table.columns) == COLUMNS
    return dict(zip(table["baseline"], table["verdict"], strict=True))


def test_a_model_equal_to_a_baseline_is_no_different_and_a_slightly_worse_one_is_worse(base: np.ndarray):
    noise = 0.02 * np.random.default_rng(1).normal(size=base.shape)
    frame = scores({"mine": base, "same": base.copy(), "slightly_better": base - 0.01 + noise, "worse": base + 0.2})
    assert verdicts(frame) == {"same": "no difference", "slightly_better": "worse", "worse": "better"}


def test_the_better_side_is_that_of_the_metric(base: np.ndarray):
    assert verdicts(scores({"mine": base + 0.2, "other": base}, "rms")) == {"other": "better"}


def test_noise_is_no_difference(base: np.ndarray):
    rng = np.random.default_rng(2)
    found = [
        verdicts(scores({"mine": base, "other": base + 0.05 * rng.normal(size=base.shape)}))["other"] for _ in range(20)
    ]
    assert found.count("no difference") >= 18


def test_differences_are_of_the_means_over_folds(base: np.ndarray):
    shift = np.array([[0.1], [0.2], [0.6]])
    frame = scores({"mine": base, "other_best16": base + shift})
    frame = frame[
        (frame["fold"] < 2) | (frame["item"] < "i040")
    ]  # the last fold has a third of the items of the others
    (row,) = against(frame, "mine", 1).itertuples()
    assert row.difference == pytest.approx(-0.3)
    assert row.candidate_mean == pytest.approx(np.mean([base[0].mean(), base[1].mean(), base[2, :40].mean()]))
    assert row.low < -0.5 < -0.2 < row.high
    assert row.items == 2 * ITEMS + 40
    assert row.baseline_renderings == 16


def test_renderings_of_what_was_submitted_are_not_known(base: np.ndarray):
    table = against(scores({"mine": base, "other": base, "ours": base}), "mine", 1, ["ours"]).set_index("baseline")
    assert table.loc["other", "baseline_renderings"] == 0
    assert table.loc["ours", "baseline_renderings"] is pd.NA


def test_the_sounds_where_it_wins_and_loses_most(base: np.ndarray):
    mine = base.copy()
    mine[0, 5] -= 1
    mine[0, 7] += 1
    mine[1, 9] += 5
    mine[0, 8] += 0.5
    table = extremes(scores({"mine": mine, "other": base}), "mine", "other", "log_mel_l1", 1)
    assert table["item"].tolist() == ["i005", "i007"]
    assert table["gain"].tolist() == pytest.approx([1, -1])
    both = extremes(scores({"mine": mine, "other": base}), "mine", "other", "log_mel_l1", 3)
    assert both["item"].tolist() == ["i005", "i007", "i008"]  # what is as good is neither
