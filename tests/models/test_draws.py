"""Samples of mixtures and velocity fields follow their known distributions."""

import math

import pytest
import torch
from small import space

from flowsynth.data.dataset import Batch
from flowsynth.models import base as models
from flowsynth.models.density.flow_matching import FlowMatching
from flowsynth.models.density.mdn import COMPONENTS, MDN
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.transforms import logit_transform


@pytest.fixture
def mixture(size: Size, monkeypatch: pytest.MonkeyPatch) -> MDN:
    """Mixture density of one parameter: a weight of 0.3 around a half logit of -1, of 0.7 around 1.5."""
    model = models.find("mdn")(16, 20, space(1), size).eval()
    assert isinstance(model, MDN)
    weights = torch.full((1, COMPONENTS), -40.0)
    weights[0, 2], weights[0, 9] = math.log(0.3), math.log(0.7)
    mean = torch.zeros(1, COMPONENTS, 1)
    mean[0, 2], mean[0, 9] = -1.0, 1.5
    parts = weights, mean, torch.full_like(mean, 0.1)
    monkeypatch.setattr(
        model, "mixture", lambda context: tuple(part.expand(len(context), *part.shape[1:]) for part in parts)
    )
    return model


def test_a_mixture_samples_components_by_their_weights(mixture: MDN):
    torch.manual_seed(0)
    samples = logit_transform()(mixture.infer(torch.zeros(2, 16, 20), 4000))
    high = samples > 0.25
    # the standard error of the share is .007, of a mean .003
    assert high.float().mean(0).flatten().tolist() == pytest.approx([0.7, 0.7], abs=0.03)
    assert samples[high].mean().item() == pytest.approx(1.5, abs=0.02)
    assert samples[~high].mean().item() == pytest.approx(-1.0, abs=0.02)
    assert samples[high].std().item() == pytest.approx(0.1, abs=0.01)


def test_the_density_of_a_mixture_is_that_of_its_samples(mixture: MDN):
    grid = torch.linspace(-0.02, 1.02, 20001)[1:-1, None]
    inside = torch.isfinite(logit_transform()(grid)).flatten()
    grid = grid[inside]
    density = mixture.log_density(torch.zeros(len(grid), mixture.features), grid).exp()
    assert torch.trapezoid(density, grid.flatten()).item() == pytest.approx(1, abs=1e-3)
    middle = logit_transform().inv(torch.tensor([0.25])).item()
    above = grid.flatten() > middle
    assert torch.trapezoid(density[above], grid.flatten()[above]).item() == pytest.approx(0.7, abs=5e-3)


@pytest.fixture
def field(size: Size) -> FlowMatching:
    model = models.find("flow_matching")(16, 20, space(3), size).eval()
    assert isinstance(model, FlowMatching)
    return model


def samples_and_noise(model: FlowMatching, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Sample presets for one sound, and return the noise that they are transported from."""
    torch.manual_seed(3)
    noise = torch.randn(n, 1, 3)
    torch.manual_seed(3)
    with torch.no_grad():
        return model.infer(torch.zeros(1, 16, 20), n), noise


def test_samples_follow_a_velocity_of_the_position(field: FlowMatching, monkeypatch: pytest.MonkeyPatch):
    """The field contracts towards 0.2: the distance at time t is e**-t of the initial one."""
    monkeypatch.setattr(field, "velocity", lambda time, position, context: 0.2 - position)
    samples, noise = samples_and_noise(field, 50)
    expected = 0.2 + (noise - 0.2) * math.exp(-1)
    torch.testing.assert_close(samples, ((expected + 1) / 2).clamp(0, 1), atol=1e-3, rtol=0)


def test_samples_follow_a_velocity_of_the_time(field: FlowMatching, monkeypatch: pytest.MonkeyPatch):
    """Time goes from 0 to 1: a velocity of t integrates to 1/2, which is exact by the midpoint method."""
    monkeypatch.setattr(field, "velocity", lambda time, position, context: time - position * 0)
    samples, noise = samples_and_noise(field, 50)
    torch.testing.assert_close(samples, ((noise + 1.5) / 2).clamp(0, 1), atol=1e-6, rtol=0)


def test_the_loss_is_minimal_at_the_velocity_of_straight_paths(field: FlowMatching, monkeypatch: pytest.MonkeyPatch):
    """All paths end at the same preset: the velocity is the remaining distance over the remaining time."""
    batch = Batch(torch.zeros(256, 16, 20), torch.full((256, 3), 0.7))
    monkeypatch.setattr("flowsynth.models.density.flow_matching.dequantise", lambda values: values)

    def loss(scale: float) -> float:
        monkeypatch.setattr(
            field, "velocity", lambda time, position, _: scale * (0.4 - position) / (1 - time).clamp(min=1e-3)
        )
        torch.manual_seed(1)
        with torch.no_grad():
            return field.loss(batch)["loss"].item()

    assert loss(1.0) < 1e-3
    assert min(loss(0.9), loss(1.1)) > 5e-3
