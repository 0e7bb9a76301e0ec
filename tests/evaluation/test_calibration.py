"""A calibrated density has nominal coverage; a narrow or biased one has not."""

import numpy as np
import pytest

from flowsynth.evaluation.calibration import calibration_table, coverage, ranks
from flowsynth.models.nn.transforms import WIDTH

RNG = np.random.default_rng(0)
ITEMS, DRAWS = 4000, 16


def truth_and_draws(scale: float, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """True values, and draws from densities with the same means, but `scale` times as wide."""
    mean = RNG.normal(size=(ITEMS, 1))
    truth = mean + RNG.normal(size=(ITEMS, 1))
    return truth, mean[:, None] + scale * RNG.normal(size=(ITEMS, DRAWS, 1)) + shift


def test_ranks_of_a_calibrated_density_are_uniform():
    rank = ranks(*truth_and_draws(1.0), 0)[:, 0]
    counts = np.bincount(rank, minlength=DRAWS + 1)
    assert len(counts) == DRAWS + 1
    assert np.abs(counts / ITEMS * (DRAWS + 1) - 1).max() < 0.25


def test_ties_are_broken_at_random_with_the_seed():
    truth, draws = np.zeros((ITEMS, 1)), np.zeros((ITEMS, DRAWS, 1))
    rank = ranks(truth, draws, 1)[:, 0]
    assert np.abs(np.bincount(rank, minlength=DRAWS + 1) / ITEMS * (DRAWS + 1) - 1).max() < 0.25
    assert np.array_equal(rank, ranks(truth, draws, 1)[:, 0])


def test_noisy_clamped_draws_of_a_perfect_model_are_calibrated():
    """Half of the true values are 0, half on a step inside; the draws are the truth with the noise of training."""
    truth = np.repeat([[0.0], [0.5]], ITEMS // 2, axis=0)
    draws = (truth[:, None] + WIDTH * RNG.uniform(-0.5, 0.5, (ITEMS, DRAWS, 1))).clip(0, 1)
    (row,) = calibration_table("m", ("p",), truth, draws, truth.std(axis=0), 0).itertuples()
    assert row.error < 0.02
    assert abs(row.lean) < 0.02


def test_coverage_of_the_widest_and_narrowest_intervals():
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
def test_narrow_and_biased_densities_have_errors(scale, shift, error, lean):
    truth, draws = truth_and_draws(scale, shift)
    (row,) = calibration_table("m", ("p",), truth, draws, truth.std(axis=0), 0).itertuples()
    assert error[0] <= row.error <= error[1]
    assert lean[0] <= row.lean <= lean[1]
    assert row.spread == pytest.approx(scale / np.sqrt(2), rel=0.05)
