"""Decision rules: one preset from draws of a density, by hand and by what they minimise."""

import numpy as np
import pytest
import torch

from flowsynth.inference import decision_rules
from flowsynth.inference.decision_rules import decision
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.models.surrogates.base import Surrogate
from flowsynth.models.systems import WITH_DENSITY
from flowsynth.synths.parameter_space import ParameterSpace

SPACE = ParameterSpace(("level", "wave", "coarse"), ("continuous", "category", "stepped"), (None, 4, 5))
WAVES = np.array([0, 3, 3, 1, 3]) / 3
DRAWS = np.stack([[0.1, 0.2, 0.6, 0.7, 0.9], WAVES, [0, 0.25, 0.25, 0.5, 1]], axis=1).astype(np.float32)[:, None]
SIZE = Size(layers=2, channels=4, kernel=3, mlp_layers=2, units=16, dropout=0.0)


class LinearSurrogate(Surrogate):
    """Predicts a constant spectrogram of the level."""

    def loss(self, batch):
        raise NotImplementedError

    def infer(self, mel, n):
        raise NotImplementedError

    def descend(self, target: torch.Tensor, starts: torch.Tensor, n: int) -> torch.Tensor:
        """Move the level of the closest start half way to that of the target."""
        level = target.mean()
        order = (starts[:, 0] - level).abs().argsort()[:n]
        moved = starts[order].clone()
        moved[:, 0] = (moved[:, 0] + level) / 2
        return moved

    def propose_next(self, target, presets, renderings):
        raise NotImplementedError

    def predict_mel(self, values: torch.Tensor) -> torch.Tensor:
        return values[:, :1, None].expand(-1, 16, 20)


def test_mean_and_median_by_hand_with_the_most_frequent_category():
    assert decision_rules.mean(DRAWS, SPACE)[0].tolist() == pytest.approx([0.5, 1.0, 0.4])
    assert decision_rules.median(DRAWS, SPACE)[0].tolist() == pytest.approx([0.6, 1.0, 0.25])


def test_the_medoid_is_a_draw_and_counts_categories_as_equal_or_not():
    # the third has the median level and step, and the wave of two others
    assert np.array_equal(decision_rules.medoid(DRAWS, SPACE)[0], DRAWS[2, 0])
    far = np.array([[[0.5, 0.0, 0.5]], [[0.5, 1 / 3, 0.5]], [[0.5, 1.0, 0.5]], [[0.5, 1.0, 0.6]]], dtype=np.float32)
    # by their numbers, the second wave would lie in the middle of all
    assert np.array_equal(decision_rules.medoid(far, SPACE)[0], far[2, 0])


def test_the_medoid_counts_categories_as_rendering_rounds_them():
    """Flows on a latent draw categories as continuous values."""
    draws = np.array([[0.5, 0.95, 0.5], [0.49, 0.30, 0.5], [0.52, 0.34, 0.5], [0.47, 0.36, 0.5]], dtype=np.float32)
    assert np.array_equal(decision_rules.medoid(draws[:, None], SPACE)[0], draws[1])


@pytest.mark.parametrize(("rule", "power"), [("mean", 2), ("median", 1)])
def test_a_rule_minimises_its_expected_error(rule: str, power: int):
    draws = np.random.default_rng(0).beta(2, 5, (200, 3, 4)).astype(np.float32)
    space = ParameterSpace.continuous("abcd")
    decided = getattr(decision_rules, rule)(draws, space)
    expected = (np.abs(draws - decided) ** power).mean(axis=0)
    for change in (-0.02, 0.02):
        assert (expected < (np.abs(draws - decided - change) ** power).mean(axis=0)).all()


def test_items_are_decided_separately():
    draws = np.random.default_rng(0).random((9, 6, 3)).astype(np.float32)
    for rule in (decision_rules.mean, decision_rules.median, decision_rules.medoid):
        together = rule(draws, SPACE)
        alone = np.concatenate([rule(draws[:, item : item + 1], SPACE) for item in range(6)])
        assert np.array_equal(together, alone)


def test_the_surrogate_ranks_draws_by_their_predicted_sounds():
    surrogate = LinearSurrogate(16, 20, SPACE, SIZE)
    draws = np.concatenate([DRAWS, DRAWS[::-1]], axis=1)
    targets = torch.tensor([0.65, 0.05])[:, None, None].expand(2, 16, 20)
    chosen = decision("ranked", surrogate)(surrogate, targets, draws)
    assert chosen[:, 0].tolist() == pytest.approx([0.6, 0.1])
    assert np.array_equal(chosen[1], DRAWS[0, 0])


def test_a_descent_starts_from_the_draws_of_each_item():
    surrogate = LinearSurrogate(16, 20, SPACE, SIZE)
    targets = torch.tensor([0.65, 0.0])[:, None, None].expand(2, 16, 20)
    decided = decision("descended", surrogate)(surrogate, targets, np.concatenate([DRAWS, DRAWS], axis=1))
    assert decided[:, 0].tolist() == pytest.approx([0.625, 0.05])


@pytest.mark.parametrize("name", sorted(WITH_DENSITY))
def test_the_mode_has_the_highest_density_of_the_draws(name: str):
    torch.manual_seed(0)
    model = models.find(name)(16, 20, SPACE, SIZE).eval()
    mel = torch.randn(3, 16, 20)
    with torch.no_grad():
        draws = model.infer(mel, 12).numpy()
        chosen = decision("mode")(model, mel, draws)
        assert isinstance(model, models.HasDensity)
        density = model.log_prob(mel, torch.from_numpy(np.concatenate([draws, chosen[None]])))
    torch.testing.assert_close(density[-1], density[:-1].max(dim=0).values)


@pytest.mark.parametrize("name", ["mdn", "npe_nsf", "flow_reg"])
def test_the_density_of_a_model_integrates_to_one(name: str):
    torch.manual_seed(0)
    space = ParameterSpace(("level", "wave"), ("continuous", "category"), (None, 3))
    if name == "flow_reg":  # which treats a category as a continuous value
        space = ParameterSpace.continuous(["level", "pan"])
    model = models.find(name)(16, 20, space, SIZE).eval()
    mel = torch.randn(2, 16, 20)
    steps = 200
    middle = (torch.arange(steps) + 0.5) / steps * (1 + 1 / 64) - 1 / 128
    if name == "flow_reg":
        presets = torch.cartesian_prod(middle, middle)
        volume = ((1 + 1 / 64) / steps) ** 2
    else:
        presets = torch.cartesian_prod(middle, torch.tensor([0, 0.5, 1]))
        volume = (1 + 1 / 64) / steps
    with torch.no_grad():
        density = model.log_prob(mel, presets[:, None].expand(-1, 2, -1)).exp()
    # the tails beyond the dequantised values hold the rest
    assert density.sum(dim=0).mul(volume).tolist() == pytest.approx([1, 1], abs=0.05)


def test_a_density_that_is_not_a_number_is_an_error():
    model = models.find("npe_nsf")(16, 20, SPACE, SIZE).eval()
    with torch.no_grad():
        next(iter(model.flow.parameters())).fill_(torch.nan)
        with pytest.raises(ValueError, match="the density of NPENSF is not a number"):
            decision("mode")(model, torch.zeros(1, 16, 20), DRAWS)


def test_models_with_a_density_are_listed():
    """The configuration refuses the mode of others, without loading models."""
    assert {name for name in models.names() if issubclass(models.find(name), models.HasDensity)} == WITH_DENSITY


def test_a_mode_needs_a_density_and_a_ranking_a_surrogate(size: Size):
    model = models.find("flow_matching")(16, 20, SPACE, size)
    with pytest.raises(ValueError, match="FlowMatching has no density"):
        decision("mode")(model, torch.zeros(1, 16, 20), DRAWS)
    for rule in ("ranked", "descended", "average"):
        with pytest.raises(ValueError, match=f"decision rule '{rule}', expected mean, median"):
            decision(rule)
