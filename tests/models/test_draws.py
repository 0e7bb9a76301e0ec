"""What samplers draw follows what they were told, where that can be worked out: mixtures, velocity fields."""

import math

import pytest
import torch

from flowsynth.data.dataset import Batch
from flowsynth.models import base as models
from flowsynth.models.density.flow_matching import FlowMatching
from flowsynth.models.density.mdn import COMPONENTS, MDN
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.transforms import bounded


@pytest.fixture
def mixture(size: Size, monkeypatch: pytest.MonkeyPatch) -> MDN:
    """Of one parameter: 0.3 of it around a logit of -1, 0.7 around 1.5."""
    model = models.find("mdn")(16, 20, 1, size).eval()
    assert isinstance(model, MDN)
    weights = torch.full((1, COMPONENTS), -40.0)
    weights[0, 2], weights[0, 9] = math.log(0.3), math.log(0.7)
    mean = torch.zeros(1, COMPONENTS, 1)
    mean[0, 2], mean[0, 9] = -1.0, 1.5
    told = weights, mean, torch.full_like(mean, 0.1)
    monkeypatch.setattr(model, "mixture", lambda mel: tuple(part.expand(len(mel), *part.shape[1:]) for part in told))
    return model


def test_a_mixture_draws_its_components_by_their_weights(mixture: MDN):
    torch.manual_seed(0)
    found = bounded()(mixture.infer(torch.zeros(2, 16, 20), 4000))
    high = found > 0.25
    # the standard error of the share is .007, of a mean .003
    assert high.float().mean(0).flatten().tolist() == pytest.approx([0.7, 0.7], abs=0.03)
    assert found[high].mean().item() == pytest.approx(1.5, abs=0.02)
    assert found[~high].mean().item() == pytest.approx(-1.0, abs=0.02)
    assert found[high].std().item() == pytest.approx(0.1, abs=0.01)


def test_the_density_of_a_mixture_is_one_over_all_presets_and_is_that_of_its_draws(mixture: MDN):
    grid = torch.linspace(-0.02, 1.02, 20001)[1:-1, None]
    inside = torch.isfinite(bounded()(grid)).flatten()
    grid = grid[inside]
    density = mixture.log_density(torch.zeros(len(grid), 16, 20), grid).exp()
    assert torch.trapezoid(density, grid.flatten()).item() == pytest.approx(1, abs=1e-3)
    middle = bounded().inv(torch.tensor([0.25])).item()
    above = grid.flatten() > middle
    assert torch.trapezoid(density[above], grid.flatten()[above]).item() == pytest.approx(0.7, abs=5e-3)


@pytest.fixture
def field(size: Size) -> FlowMatching:
    model = models.find("flow_matching")(16, 20, 3, size).eval()
    assert isinstance(model, FlowMatching)
    return model


def drawn(model: FlowMatching, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What is drawn for one sound, and the noise that it was drawn from."""
    torch.manual_seed(3)
    noise = torch.randn(n, 1, 3)
    torch.manual_seed(3)
    with torch.no_grad():
        return model.infer(torch.zeros(1, 16, 20), n), noise


def test_draws_follow_a_velocity_that_depends_on_the_place(field: FlowMatching, monkeypatch: pytest.MonkeyPatch):
    """Of a field that shrinks towards 0.2, where the way is known: e**-t of the distance is left."""
    monkeypatch.setattr(field, "velocity", lambda time, place, heard: 0.2 - place)
    found, noise = drawn(field, 50)
    expected = 0.2 + (noise - 0.2) * math.exp(-1)
    torch.testing.assert_close(found, ((expected + 1) / 2).clamp(0, 1), atol=1e-3, rtol=0)


def test_draws_follow_a_velocity_that_depends_on_the_time(field: FlowMatching, monkeypatch: pytest.MonkeyPatch):
    """Time goes from 0 to 1: a velocity of t is a way of 1/2, which the midpoint rule has exactly."""
    monkeypatch.setattr(field, "velocity", lambda time, place, heard: time - place * 0)
    found, noise = drawn(field, 50)
    torch.testing.assert_close(found, ((noise + 1.5) / 2).clamp(0, 1), atol=1e-6, rtol=0)


def test_the_loss_of_flow_matching_is_least_at_the_velocity_of_the_straight_way(
    field: FlowMatching, monkeypatch: pytest.MonkeyPatch
):
    """From noise to the one preset there is: the way left, over the time left."""
    batch = Batch(torch.zeros(256, 16, 20), torch.full((256, 3), 0.7))
    monkeypatch.setattr("flowsynth.models.density.flow_matching.dequantise", lambda values: values)

    def loss(scale: float) -> float:
        monkeypatch.setattr(
            field, "velocity", lambda time, place, _: scale * (0.4 - place) / (1 - time).clamp(min=1e-3)
        )
        torch.manual_seed(1)
        with torch.no_grad():
            return field.loss(batch)["loss"].item()

    assert loss(1.0) < 1e-3
    assert min(loss(0.9), loss(1.1)) > 5e-3
