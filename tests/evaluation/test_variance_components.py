"""Variance components of simulated scores are recovered."""

import numpy as np
import pandas as pd
import pytest

from flowsynth.evaluation.score_tables import with_systems
from flowsynth.evaluation.variance_components import (
    decompose_variance,
    finding,
    trainings_by_model,
    variance_components,
)


def simulate(
    fold: float, seed: float, item: float, rest: float, folds: int = 60, seeds: int = 4, items: int = 80
) -> list[np.ndarray]:
    """Scores of each fold with effects of the given standard deviations."""
    rng = np.random.default_rng(3)
    return [
        rng.normal(0, fold)
        + rng.normal(0, seed, (1, seeds))
        + rng.normal(0, item, (items, 1))
        + rng.normal(0, rest, (items, seeds))
        for _ in range(folds)
    ]


@pytest.mark.parametrize("deviations", [(1.0, 0.5, 2.0, 0.7), (0.0, 1.0, 1.0, 1.0), (0.5, 0.0, 3.0, 0.2)])
def test_simulated_variances_are_recovered(deviations: tuple[float, float, float, float]):
    variances = variance_components(simulate(*deviations))
    for name, expected in zip(("fold", "seed", "item", "rest"), deviations, strict=True):
        assert variances[name] == pytest.approx(expected**2, abs=0.3 * expected**2 + 0.05), name


def test_fold_variance_of_one_fold_is_undefined():
    assert np.isnan(variance_components(simulate(1, 1, 1, 1, folds=1))["fold"])


def test_trainings_are_grouped_by_model():
    systems = ["mean", "cnn", "cnn_seed2", "mlp", "cnn_seed3", "cnn_seed3_best4", "mlp_best4", "ast_seed2", "mine"]
    assert trainings_by_model(with_systems(pd.DataFrame({"model": systems}))) == {
        "cnn": ["cnn", "cnn_seed2", "cnn_seed3"]
    }


def test_shares_sum_to_one_and_noise_is_that_of_a_training():
    rows = [
        ("log_mel_l1", model, fold, str(item), values[item, column])
        for fold, values in enumerate(simulate(0, 0.5, 1, 0.0, folds=40))
        for column, model in enumerate(["cnn", "cnn_seed2", "cnn_seed3", "cnn_seed4"])
        for item in range(len(values))
    ]
    scores = with_systems(pd.DataFrame(rows, columns=["metric", "model", "fold", "item", "value"]))
    (row,) = decompose_variance(scores).itertuples()
    assert (row.folds, row.seeds, row.items) == (40, 4, 3200)
    assert row.fold + row.seed + row.item + row.rest == pytest.approx(1)
    assert row.seed == pytest.approx(0.2, abs=0.05)
    assert row.sd_of_a_training == pytest.approx(0.5, abs=0.1)


def test_finding_states_the_shares_in_the_table():
    row = {
        "model": "cnn",
        "metric": "log_mel_l1",
        "folds": 3,
        "seeds": 4,
        "items": 90,
        "mean": 0.7,
        "sd_of_a_training": 0.02,
    }
    shares = {"fold": 0.0, "seed": 0.04, "item": 0.76, "rest": 0.2}
    text = finding(pd.DataFrame([row | shares, row | shares | {"metric": "mel_mse"}]))
    assert text.startswith("- `cnn`, trained 4 times in each of 3 folds: Log-mel L1 0.700; ")
    assert "between trainings is 0.0200" in text
    assert "76% is between sounds, 20% residual" in text
    assert ", 4% between seeds, 0% between folds" in text
    assert text.count("\n") == 1
    assert ", below 1% between seeds" in finding(pd.DataFrame([row | shares | {"seed": 0.004}]))
