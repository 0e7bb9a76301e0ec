"""A density that is right has the coverage it should have, one that is too narrow or leans has not."""

import numpy as np
import pytest

from flowsynth.evaluation.calibration import coverage, ranks, table
from flowsynth.models.nn.transforms import WIDTH

RNG = np.random.default_rng(0)
ITEMS, DRAWS = 4000, 16


def drawn(scale: float, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """True values, and draws from densities around the same unknown middles, `scale` as wide as they should be."""
    middle = RNG.normal(size=(ITEMS, 1))
    truth = middle + RNG.normal(size=(ITEMS, 1))
    return truth, middle[:, None] + scale * RNG.normal(size=(ITEMS, DRAWS, 1)) + shift


def test_ranks_of_a_right_density_are_uniform():
    found = ranks(*drawn(1.0), 0)[:, 0]
    counts = np.bincount(found, minlength=DRAWS + 1)
    assert len(counts) == DRAWS + 1
    assert np.abs(counts / ITEMS * (DRAWS + 1) - 1).max() < 0.25


def test_equal_values_are_ranked_by_chance():
    truth, draws = np.zeros((ITEMS, 1)), np.zeros((ITEMS, DRAWS, 1))
    found = ranks(truth, draws, 1)[:, 0]
    assert np.abs(np.bincount(found, minlength=DRAWS + 1) / ITEMS * (DRAWS + 1) - 1).max() < 0.25
    assert np.array_equal(found, ranks(truth, draws, 1)[:, 0])


def test_a_model_that_learnt_presets_with_noise_and_clamps_is_right():
    """Half of the true values are 0, half on a step inside: what a perfect model draws of them has noise around it."""
    truth = np.repeat([[0.0], [0.5]], ITEMS // 2, axis=0)
    draws = (truth[:, None] + WIDTH * RNG.uniform(-0.5, 0.5, (ITEMS, DRAWS, 1))).clip(0, 1)
    (row,) = table("m", ("p",), truth, draws, truth.std(axis=0), 0).itertuples()
    assert row.error < 0.02
    assert abs(row.lean) < 0.02


def test_the_widest_interval_leaves_out_two_ranks_and_the_narrowest_has_one_or_none():
    assert coverage(np.arange(17), 16)["expected"].tolist() == pytest.approx(
        [15 / 17, 13 / 17, 11 / 17, 9 / 17, 7 / 17, 5 / 17, 3 / 17, 1 / 17]
    )
    assert coverage(np.arange(17), 16)["found"].tolist() == pytest.approx(
        coverage(np.arange(17), 16)["expected"].tolist()
    )
    assert coverage(np.arange(4), 3)["found"].tolist() == [0.5, 0.0]


@pytest.mark.parametrize(
    ("scale", "shift", "error", "lean"),
    [(1.0, 0.0, (0, 0.02), (-0.02, 0.02)), (0.3, 0.0, (0.2, 1), (-0.03, 0.03)), (1.0, -1.0, (0.05, 1), (0.15, 0.5))],
)
def test_what_is_too_narrow_or_leans_is_told(scale, shift, error, lean):
    truth, draws = drawn(scale, shift)
    (row,) = table("m", ("p",), truth, draws, truth.std(axis=0), 0).itertuples()
    assert error[0] <= row.error <= error[1]
    assert lean[0] <= row.lean <= lean[1]
    assert row.spread == pytest.approx(scale / np.sqrt(2), rel=0.05)
