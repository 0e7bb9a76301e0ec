"""Flows: exact inverses, determinants and densities; contexts that matter; presets of one sound that differ."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.functional import jacobian
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from torch.utils._python_dispatch import TorchDispatchMode
from zuko.distributions import NormalizingFlow

from flowsynth.data.dataset import Batch, Items
from flowsynth.models import base as models
from flowsynth.models.nn import flows
from flowsynth.models.nn.flows import draw
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.transforms import WIDTH, Regression, Spline, bounded, dequantise

CONTEXT = 4


class Map(nn.Module):
    """The regression map as a flow: the density of presets if the latent of every sound were standard normal."""

    def __init__(self, dim: int, context: int):
        super().__init__()
        self.regression, self.prior = Regression(dim), flows.standard(dim)

    def forward(self, c: Tensor):
        return NormalizingFlow(self.regression.transform(), self.prior().expand(c.shape[:-1]))


FLOWS: dict[str, Callable[[int, int], nn.Module]] = {
    "posterior": flows.posterior_flow,
    "coupling": flows.coupling_posterior,
    "disentangling": flows.disentangling_flow,
    "conditional": flows.conditional_flow,
    "regression": Map,
}
LATENTS = ("posterior", "coupling", "disentangling")  # densities of latents, the others are of presets
AMORTISED = [name for name in FLOWS if name != "regression"]
FLOW_MODELS = ["vae_flow", "flow_reg", "flow_reg_published", "flow_cond", "flow_dis"]
every_flow = pytest.mark.parametrize("name", FLOWS)


def make(name: str, dim: int, seed: int = 0) -> nn.Module:
    """A flow that is far from the identity."""
    torch.manual_seed(seed)
    flow = FLOWS[name](dim, CONTEXT)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.mul_(2)
    return flow


def data(name: str, items: int, dim: int) -> Tensor:
    """Points that a flow is a density of: latents, or presets."""
    return torch.randn(items, dim) if name in LATENTS else torch.rand(items, dim)


@every_flow
@pytest.mark.parametrize("dim", [1, 2, 5, 16])
def test_the_inverse_undoes_the_map(name: str, dim: int):
    flow = make(name, dim)
    with torch.no_grad():
        c, x = torch.randn(50, CONTEXT), data(name, 50, dim)
        transform = flow(c).transform
        noise, there = transform.call_and_ladj(x)
        again, back = transform.inv.call_and_ladj(noise)
    assert (noise - x).abs().max() > 0.05  # else this test shows nothing
    torch.testing.assert_close(again, x, atol=1e-4, rtol=0)
    torch.testing.assert_close(there, -back, atol=1e-3, rtol=1e-3)


@every_flow
@pytest.mark.parametrize("direction", ["transform", "inverse"])
def test_the_determinant_is_that_of_autograd(name: str, direction: str):
    flow = make(name, 3).double()
    for seed in range(5):
        torch.manual_seed(seed)
        c = torch.randn(1, CONTEXT).double()
        x = data(name, 1, 3).double()
        transform = flow(c).transform
        if direction == "inverse":
            x, transform = transform(x).detach(), transform.inv
        found = transform.call_and_ladj(x)[1]
        true = torch.linalg.slogdet(jacobian(lambda x, t=transform: t(x)[0], x)[:, 0])[1]
        torch.testing.assert_close(found[0], true, atol=1e-6, rtol=1e-6)


@every_flow
def test_the_gradient_reaches_every_parameter(name: str):
    flow = make(name, 5)
    c = torch.randn(20, CONTEXT, requires_grad=True)
    flow(c).log_prob(data(name, 20, 5)).sum().backward()
    assert [key for key, p in flow.named_parameters() if p.grad is None or not (p.grad != 0).any()] == []
    if name in AMORTISED:
        assert (c.grad != 0).all()


@pytest.mark.parametrize("name", AMORTISED)
def test_each_step_hears_the_context(name: str):
    flow = make(name, 3)
    transform = flow.transform.transform if name == "posterior" else flow.transform
    x = data(name, 1, 3)
    hearing = []
    for step in transform.transforms:
        c = torch.randn(1, CONTEXT, requires_grad=True)
        out = step(c)(x)
        (heard,) = torch.autograd.grad(out.sum(), c, allow_unused=True) if out.requires_grad else (None,)
        hearing.append(heard is not None and bool((heard != 0).all()))
    # a conditional flow begins with logits, a disentangling one with what is common to all items
    deaf = {"conditional": 1, "disentangling": 4}.get(name, 0)
    assert hearing == [False] * deaf + [True] * (len(hearing) - deaf)


def test_the_posterior_has_the_steps_of_the_paper():
    assert len(flows.posterior_flow(3, CONTEXT).transform.transform.transforms) == 16


@every_flow
def test_an_item_does_not_depend_on_the_batch(name: str):
    flow = make(name, 5)
    with torch.no_grad():
        c, x = torch.randn(64, CONTEXT), data(name, 64, 5)
        together, alone = flow(c).log_prob(x)[:3], flow(c[:3]).log_prob(x[:3])
        torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-5)
        draws = []
        for items in (64, 3):
            torch.manual_seed(1)
            draws.append(draw(flow(c[:items]), 2)[:, :3])
        torch.testing.assert_close(*draws, atol=1e-5, rtol=1e-4)


@every_flow
def test_a_flow_is_what_its_state_is(name: str):
    flow, other = make(name, 5), make(name, 5, seed=1)
    c, x = torch.randn(8, CONTEXT), data(name, 8, 5)
    assert not torch.equal(flow(c).log_prob(x), other(c).log_prob(x))
    other.load_state_dict(flow.state_dict())
    assert torch.equal(flow(c).log_prob(x), other(c).log_prob(x))


@every_flow
def test_the_density_integrates_to_one(name: str):
    flow, n = make(name, 2).double(), 400
    # squashed values are in (0, 1), so values are a little beyond
    beyond = WIDTH / (1 - 2 * WIDTH)
    low, high = (-9.0, 9.0) if name in LATENTS else (-beyond, 1 + beyond)
    side = low + (high - low) * (torch.arange(n).double() + 0.5) / n
    grid = torch.cartesian_prod(side, side)
    with torch.no_grad():
        density = flow(torch.randn(1, CONTEXT).double().expand(len(grid), -1)).log_prob(grid).exp()
    assert density.sum() * ((high - low) / n) ** 2 == pytest.approx(1, abs=0.01)


@every_flow
def test_draws_have_the_density_that_is_told_with_them(name: str):
    flow = make(name, 4)
    with torch.no_grad():
        q = flow(torch.randn(30, CONTEXT))
        z, log_density = q.rsample_and_log_prob()
        torch.testing.assert_close(log_density, q.log_prob(z), atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize("name", LATENTS)
def test_a_new_posterior_is_never_off_to_infinity(name: str):
    for seed in range(20):
        torch.manual_seed(seed)
        flow = FLOWS[name](16, 64)
        with torch.no_grad():
            z, log_density = flow(30 * torch.randn(50, 64)).rsample_and_log_prob()
        assert z.square().sum().isfinite()
        assert log_density.isfinite().all()


def test_items_share_their_noise_and_draws_do_not():
    flow = make("coupling", 4)
    with torch.no_grad():
        same = draw(flow(torch.randn(1, CONTEXT).expand(6, -1)), 3)
    assert same.shape == (3, 6, 4)
    torch.testing.assert_close(same, same[:, :1].expand(-1, 6, -1))
    assert (same[0] - same[1]).abs().min() > 1e-4


def test_the_divergence_from_the_prior_is_that_of_gaussians():
    torch.manual_seed(0)
    q = flows.normal(torch.tensor([0.5, -1.0]), torch.tensor([0.3, 1.5]))
    z = q.sample((200_000,))
    prior = flows.normal(torch.zeros(2), torch.ones(2))
    assert flows.kl_by_draws(z, q.log_prob(z), prior).item() == pytest.approx(kl_divergence(q, prior).item(), abs=0.02)


def test_exact_values_have_finite_logits_and_come_back():
    torch.manual_seed(0)
    steps = torch.linspace(0, 1, 128).expand(1000, -1)
    noisy = dequantise(steps)
    logits = bounded()(noisy)
    assert logits.abs().max() < 3
    again = bounded().inv(logits).clamp(0, 1)
    assert (again - steps).abs().max() <= WIDTH / 2 + 1e-6
    assert (again[:, 0] == 0).float().mean() == pytest.approx(0.5, abs=0.1)
    assert (again[:, -1] == 1).float().mean() == pytest.approx(0.5, abs=0.1)
    assert noisy.mean(dim=0).sub(steps[0]).abs().max() < WIDTH / 20
    torch.testing.assert_close(bounded().inv(bounded()(steps)), steps, atol=1e-5, rtol=0)


def test_a_spline_of_zeros_is_the_identity():
    x = torch.linspace(-7, 7, 101)
    zeros = [torch.zeros(101, bins) for bins in (8, 8, 7)]
    found, log_determinant = Spline(*zeros).call_and_ladj(x)
    torch.testing.assert_close(found, x, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(log_determinant, torch.zeros(101))


def moons(items: int, seed: int) -> Tensor:
    """Presets of two parameters in two interlocked half circles."""
    generator = torch.Generator().manual_seed(seed)
    angle = math.pi * torch.rand(items, generator=generator)
    upper = torch.rand(items, generator=generator) < 0.5
    x = torch.where(upper, angle.cos(), 1 - angle.cos())
    y = torch.where(upper, angle.sin(), 0.5 - angle.sin())
    points = torch.stack(((x + 1.5) / 4, (y + 1.25) / 3), dim=1)
    return points + 0.01 * torch.randn(items, 2, generator=generator)


def energy_distance(a: Tensor, b: Tensor) -> float:
    return float(2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean())


@pytest.mark.parametrize("name", ["conditional", "regression"])
def test_a_fitted_flow_has_the_shape_of_the_data(name: str):
    torch.manual_seed(0)
    flow = FLOWS[name](2, CONTEXT)
    optimizer = torch.optim.Adam(flow.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 300)
    train, test = moons(2000, seed=1), moons(1000, seed=2)
    c = torch.zeros(1000, CONTEXT)
    for _ in range(300):
        batch = train[torch.randint(len(train), (250,))]
        loss = -flow(c[:250]).log_prob(dequantise(batch)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    gaussian = MultivariateNormal(train.mean(dim=0), train.T.cov())
    with torch.no_grad():
        assert flow(c).log_prob(test).mean() > gaussian.log_prob(test).mean() + 1
        drawn = flow(c).rsample()
        assert energy_distance(drawn, test) < 0.5 * energy_distance(gaussian.sample((1000,)), test)


def model(name: str, train: Batch, size: Size) -> models.Model:
    torch.manual_seed(0)
    made = models.find(name)(*train.mel.shape[1:], train.values.shape[1], size)
    made.calibrate(train)
    return made


class NoCumulativeSums(TorchDispatchMode):
    """Refuses what has no deterministic form on GPUs."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func.overloadpacket is not torch.ops.aten.cumsum
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", FLOW_MODELS)
def test_training_is_deterministic_on_gpus_too(name: str, parts: tuple[Items, Items], size: Size):
    train = parts[0].all()
    made = model(name, train, size)
    with NoCumulativeSums():
        with pytest.raises(AssertionError):
            torch.ones(3).cumsum(0)
        made.loss(train)["loss"].backward()


@pytest.mark.parametrize("name", FLOW_MODELS)
def test_losses_are_weighed_as_told(name: str, parts: tuple[Items, Items], size: Size):
    train = parts[0].all()
    made = model(name, train, size).eval()
    made.at_epoch(0, 50)
    first = made.loss(train)
    assert first["selection"] == torch.inf
    torch.testing.assert_close(first["loss"], first["reconstruction"])
    made.at_epoch(15, 50)
    later = made.loss(train)
    assert later["selection"] == later["parameters"]
    expected = later["reconstruction"] + later["latent"] + made.full_gamma / 2 * later["parameters"]
    torch.testing.assert_close(later["loss"], expected)


def test_presets_and_latents_of_the_regression_flow_are_one_space(parts: tuple[Items, Items], size: Size):
    train = parts[0].all()
    made = model("flow_reg", train, size).eval()
    values = torch.cat([train.values, torch.tensor([[0.0, 1.0, 0.5], [1.0, 1.0, 0.0]])])
    with torch.no_grad():
        torch.testing.assert_close(made.to_parameters(made.to_latent(values)), values, atol=1e-4, rtol=0)
        z = made.encode(train.mel)
        torch.testing.assert_close(made.answer(z, 2)[1], made.to_parameters(z))
        assert made.decode(made.to_latent(values)).shape == (72, 16, 20)


def test_the_likelihood_of_the_regression_flow_is_a_density(parts: tuple[Items, Items], size: Size):
    train = parts[0].all()
    made = model("flow_reg", Batch(train.mel, train.values[:, :2]), size).eval()
    n, beyond = 300, WIDTH / (1 - 2 * WIDTH)
    side = -beyond + (1 + 2 * beyond) * (torch.arange(n) + 0.5) / n
    grid = torch.cartesian_prod(side, side)
    with torch.no_grad():
        one = made.distribution(train.mel[:1].expand(len(grid), -1, -1))
        total = made.log_density(one, grid).exp().sum() * ((1 + 2 * beyond) / n) ** 2
    assert total == pytest.approx(1, abs=0.02)


def test_the_published_objective_hardly_weighs_the_determinant(parts: tuple[Items, Items], size: Size):
    train = parts[0].all()
    made = model("flow_reg_published", train, size).eval()
    with torch.no_grad():
        made.log_std.fill_(-1.0)
        z = made.encode(train.mel)
        found, log_determinant = made.regressor.to_parameters(z)
        error = -Normal(found, math.exp(-1)).log_prob(train.values).mean()
        expected = error - log_determinant.mean() / (70 * 3)
        torch.testing.assert_close(made.parameter_loss(z, train.values), expected)


@pytest.mark.parametrize("name", ["flow_reg", "flow_cond"])
def test_different_presets_of_one_sound_are_all_drawn(name: str, parts: tuple[Items, Items]):
    train = parts[0].all()
    torch.manual_seed(0)
    # the first parameter can't be heard: it is 0.2 or 0.8
    values = torch.cat([train.values[:, 1:], torch.where(torch.rand(70, 1) < 0.5, 0.2, 0.8)], dim=1)
    batch = Batch(train.mel, values)
    made = model(name, batch, Size(layers=2, channels=8, kernel=3, mlp_layers=2, units=64, dropout=0.0)).train()
    optimizer = torch.optim.Adam(made.parameters(), lr=5e-3)
    for _ in range(200):
        optimizer.zero_grad()
        # sounds without the parameter's trace: each batch pairs them anew
        batch = Batch(train.mel, torch.cat([values[:, :2], values[torch.randperm(70), 2:]], dim=1))
        made.loss(batch)["loss"].backward()
        optimizer.step()
    with torch.no_grad():
        drawn = made.infer(train.mel, 200)[:, :, 2]
    low, high = ((drawn - mode).abs() < 0.1 for mode in (0.2, 0.8))
    assert low.float().mean() > 0.25
    assert high.float().mean() > 0.25
    assert (low | high).float().mean() > 0.8
