"""The variance of scores is split as it was made."""

import numpy as np
import pandas as pd
import pytest

from flowsynth.evaluation.variance_components import components, finding, trainings, variance


def made(fold: float, seed: float, item: float, rest: float, folds: int = 60, seeds: int = 4, items: int = 80) -> list:
    rng = np.random.default_rng(3)
    return [
        rng.normal(0, fold)
        + rng.normal(0, seed, (1, seeds))
        + rng.normal(0, item, (items, 1))
        + rng.normal(0, rest, (items, seeds))
        for _ in range(folds)
    ]


@pytest.mark.parametrize("spread", [(1.0, 0.5, 2.0, 0.7), (0.0, 1.0, 1.0, 1.0), (0.5, 0.0, 3.0, 0.2)])
def test_what_was_put_in_is_found(spread: tuple[float, float, float, float]):
    found = components(made(*spread))
    for name, expected in zip(("fold", "seed", "item", "rest"), spread, strict=True):
        assert found[name] == pytest.approx(expected**2, abs=0.3 * expected**2 + 0.05), name


def test_one_fold_says_nothing_of_folds():
    assert np.isnan(components(made(1, 1, 1, 1, folds=1))["fold"])


def test_seeds_are_told_from_names():
    systems = ["mean", "cnn", "cnn_seed2", "mlp", "cnn_seed3", "mlp_best4", "ast_seed2"]
    assert trainings(systems) == {"cnn": ["cnn", "cnn_seed2", "cnn_seed3"]}


def test_a_table_has_shares_and_the_noise_of_one_training():
    rows = [
        ("log_mel_l1", model, fold, str(item), values[item, column])
        for fold, values in enumerate(made(0, 0.5, 1, 0.0, folds=40))
        for column, model in enumerate(["cnn", "cnn_seed2", "cnn_seed3", "cnn_seed4"])
        for item in range(len(values))
    ]
    scores = pd.DataFrame(rows, columns=["metric", "model", "fold", "item", "value"])
    (row,) = variance(scores, ["cnn", "cnn_seed2", "cnn_seed3", "cnn_seed4"]).itertuples()
    assert (row.folds, row.seeds, row.items) == (40, 4, 3200)
    assert row.fold + row.seed + row.item + row.rest == pytest.approx(1)
    assert row.seed == pytest.approx(0.2, abs=0.05)
    assert row.sd_of_a_training == pytest.approx(0.5, abs=0.1)


def test_what_is_said_is_what_was_measured():
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
    said = finding(pd.DataFrame([row | shares, row | shares | {"metric": "mel_mse"}]))
    assert said.startswith("- `cnn`, trained 4 times in each of 3 folds: Log-mel L1 0.700; its mean")
    assert "a standard deviation of 0.0200 from training" in said
    assert "76% is the sound's, 20% how a training does" in said
    assert ", 4% the seed's, 0% the fold's" in said
    assert said.count("\n") == 1
    assert ", below 1% the seed's" in finding(pd.DataFrame([row | shares | {"seed": 0.004}]))
