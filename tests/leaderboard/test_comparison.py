"""Comparison of a candidate with baselines: verdicts, means over folds, and extreme sounds."""

import numpy as np
import pandas as pd
import pytest

from flowsynth.evaluation import statistics
from flowsynth.evaluation.score_tables import with_systems
from flowsynth.leaderboard.comparison import COMPARISON_COLUMNS, compare_to_baselines, extremes

ITEMS, FOLDS = 120, 3


def scores(values: dict[str, np.ndarray], metric: str = "log_mel_l1") -> pd.DataFrame:
    """Build scores from an array (folds x items) per model."""
    rows = [
        ("cpu", "amsynth16", "grouped", fold, model, f"i{item:03d}", 0, metric, table[fold, item])
        for model, table in values.items()
        for fold in range(FOLDS)
        for item in range(ITEMS)
    ]
    columns = ["budget", "dataset", "split", "fold", "model", "item", "sample", "metric", "value"]
    return with_systems(pd.DataFrame(rows, columns=columns))


@pytest.fixture
def base() -> np.ndarray:
    return np.random.default_rng(0).gamma(2.0, 0.2, (FOLDS, ITEMS))


def verdicts(frame: pd.DataFrame) -> dict[str, str]:
    table = compare_to_baselines(frame, "mine", 1)
    assert list(table.columns) == COMPARISON_COLUMNS
    return dict(zip(table["baseline"], table["verdict"], strict=True))


def test_verdicts_for_equal_better_and_worse_baselines(base: np.ndarray):
    noise = 0.02 * np.random.default_rng(1).normal(size=base.shape)
    frame = scores({"mine": base, "same": base.copy(), "slightly_better": base - 0.01 + noise, "worse": base + 0.2})
    assert verdicts(frame) == {"same": "no difference", "slightly_better": "worse", "worse": "better"}


def test_verdict_respects_the_direction_of_the_metric(base: np.ndarray):
    assert verdicts(scores({"mine": base + 0.2, "other": base}, "rms")) == {"other": "better"}


@pytest.mark.slow
def test_noise_is_not_significant(base: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 500)
    rng = np.random.default_rng(2)
    results = [
        verdicts(scores({"mine": base, "other": base + 0.05 * rng.normal(size=base.shape)}))["other"] for _ in range(10)
    ]
    assert results.count("no difference") >= 9


def test_differences_are_between_means_over_folds(base: np.ndarray):
    shift = np.array([[0.1], [0.2], [0.6]])
    frame = scores({"mine": base, "mlp_best16": base + shift})
    # the last fold has a third as many items as the others
    frame = frame[(frame["fold"] < 2) | (frame["item"] < "i040")]
    (row,) = compare_to_baselines(frame, "mine", 1).itertuples()
    assert row.difference == pytest.approx(-0.3)
    assert row.candidate_mean == pytest.approx(np.mean([base[0].mean(), base[1].mean(), base[2, :40].mean()]))
    assert row.low < -0.5 < -0.2 < row.high
    assert row.items == 2 * ITEMS + 40
    assert row.baseline_renderings == 16


def test_renderings_of_submitted_files_are_missing(base: np.ndarray):
    frame = scores({"mine": base, "nearest": base, "submission": base})
    table = compare_to_baselines(frame, "mine", 1).set_index("baseline")
    assert table.loc["nearest", "baseline_renderings"] == 0
    assert table.loc["submission", "baseline_renderings"] is pd.NA
    assert table["baseline_is_control"].to_dict() == {"nearest": True, "submission": False}


def test_extremes_are_the_largest_gains_and_losses(base: np.ndarray):
    mine = base.copy()
    mine[0, 5] -= 1
    mine[0, 7] += 1
    mine[1, 9] += 5
    mine[0, 8] += 0.5
    table = extremes(scores({"mine": mine, "other": base}), "mine", "other", "log_mel_l1", 1)
    assert table["item"].tolist() == ["i005", "i007"]
    assert table["gain"].tolist() == pytest.approx([1, -1])
    table = extremes(scores({"mine": mine, "other": base}), "mine", "other", "log_mel_l1", 3)
    assert table["item"].tolist() == ["i005", "i007", "i008"]  # ties are excluded
