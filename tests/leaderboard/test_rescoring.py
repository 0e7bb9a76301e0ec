"""Rescoring: rounded scores agree with frozen ones, others do not."""

import numpy as np
import pandas as pd
import pytest

from flowsynth.leaderboard.baselines import round_scores
from flowsynth.leaderboard.rescoring import distances, summarise


def test_scores_rounded_to_six_digits_agree():
    rng = np.random.default_rng(0)
    now = 10 ** rng.uniform(-9, 9, 20000) * rng.choice([-1, 1], 20000)
    frozen = round_scores(pd.DataFrame({"value": now}))["value"].to_numpy()
    table = distances(frozen, now, np.zeros(20000))
    assert table["difference"].max() < 1e-9
    assert 4e-6 < table["distance"].max() < 5.1e-6
    assert table["agrees"].all()
    # more than half a unit of the sixth digit (up to 5e-6 of a score) plus the tolerance
    assert not distances(frozen, now * (1 + 1.2e-5), np.zeros(20000))["agrees"].any()


@pytest.mark.parametrize(
    ("frozen", "now", "tolerance", "difference", "agrees"),
    [
        (0.0, 0.0, 0, 0, True),
        (0.0, 1e-16, 0, 1e-7, True),
        (0.0, 1e-9, 0, 1, False),
        (np.nan, np.nan, 0, 0, True),
        (np.nan, 1.0, 0, np.inf, False),
        (1.0, np.nan, 0, np.inf, False),
        (1.23456, 1.234565, 0, 0, True),
        (1.23456, 1.234567, 0, 1.6e-6, False),
        (1.23456, 1.234567, 1e-5, 1.6e-6, True),
        (1.23456, 1.234577, 1e-5, 9.7e-6, False),
        (999999.0, 999999.4, 0, 0, True),
    ],
)
def test_distances(frozen: float, now: float, tolerance: float, difference: float, agrees: bool):
    (row,) = distances(np.array([frozen]), np.array([now]), np.array([float(tolerance)])).itertuples()
    assert row.difference == pytest.approx(difference, rel=0.03, abs=1e-9)
    assert row.agrees is np.bool_(agrees) or row.agrees == agrees


def test_summary_has_the_worst_score_of_each_metric():
    table = pd.DataFrame(
        {
            "metric": ["mss", "mss", "mss", "rms"],
            "item": ["a", "b", "c", "d"],
            "difference": [0.0, 0.2, 0.1, 0.0],
            "distance": [0.3, 0.2, 0.1, 0.0],
            "agrees": [True, False, False, True],
        }
    )
    summary = summarise(table).set_index("metric")
    assert summary.loc["mss", ["scores", "wrong", "item"]].tolist() == [3, 2, "b"]
    assert summary.loc["rms", ["scores", "wrong", "item"]].tolist() == [1, 0, "d"]
