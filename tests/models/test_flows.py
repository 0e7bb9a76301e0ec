"""Flows: exact inverses, determinants and densities; conditioning; multimodal posteriors."""

import math
from collections.abc import Callable

import pytest
import torch
from small import space
from torch import Tensor, nn
from torch.autograd.functional import jacobian
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from torch.utils._python_dispatch import TorchDispatchMode
from zuko.distributions import NormalizingFlow

from flowsynth.data.dataset import Batch, Items
from flowsynth.models import base as models
from flowsynth.models.nn import flows
from flowsynth.models.nn.flows import sample_flow
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.spline import Spline
from flowsynth.models.nn.transforms import WIDTH, RegressionFlow, dequantise, logit_transform

CONTEXT = 4


class RegressionDensity(nn.Module):
    """The regression map as a flow: the density of presets if latents are standard normal."""

    def __init__(self, dim: int, context: int):
        super().__init__()
        self.regression, self.prior = RegressionFlow(dim), flows.standard_normal(dim)

    def forward(self, c: Tensor):
        return NormalizingFlow(self.regression.transform(), self.prior().expand(c.shape[:-1]))


FLOWS: dict[str, Callable[[int, int], nn.Module]] = {
    "posterior": flows.posterior_flow,
    "coupling": flows.coupling_posterior,
    "disentangling": flows.disentangling_flow,
    "conditional": flows.conditional_flow,
    "regression": RegressionDensity,
}
LATENTS = ("posterior", "coupling", "disentangling")  # densities of latents; the others are densities of presets
AMORTISED = [name for name in FLOWS if name != "regression"]
FLOW_MODELS = ["vae_flow", "flow_reg", "flow_reg_detached", "flow_reg_published", "flow_cond", "flow_dis"]
every_flow = pytest.mark.parametrize("name", FLOWS)


def make(name: str, dim: int, seed: int = 0) -> nn.Module:
    """Build a flow that is far from the identity."""
    torch.manual_seed(seed)
    flow = FLOWS[name](dim, CONTEXT)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.mul_(2)
    return flow


def data(name: str, items: int, dim: int) -> Tensor:
    """Make points in the domain of a flow: latents or presets."""
    return torch.randn(items, dim) if name in LATENTS else torch.rand(items, dim)


@every_flow
@pytest.mark.parametrize("dim", [1, 2, 5, 16])
def test_the_inverse_inverts_the_map(name: str, dim: int):
    flow = make(name, dim)
    with torch.no_grad():
        c, x = torch.randn(50, CONTEXT), data(name, 50, dim)
        transform = flow(c).transform
        noise, log_determinant = transform.call_and_ladj(x)
        inverse, inverse_log_determinant = transform.inv.call_and_ladj(noise)
    assert (noise - x).abs().max() > 0.05  # the map is not the identity
    torch.testing.assert_close(inverse, x, atol=1e-4, rtol=0)
    torch.testing.assert_close(log_determinant, -inverse_log_determinant, atol=1e-3, rtol=1e-3)


@every_flow
@pytest.mark.parametrize("direction", ["transform", "inverse"])
def test_the_determinant_equals_that_of_autograd(name: str, direction: str):
    flow = make(name, 3).double()
    for seed in range(5):
        torch.manual_seed(seed)
        c = torch.randn(1, CONTEXT).double()
        x = data(name, 1, 3).double()
        transform = flow(c).transform
        if direction == "inverse":
            x, transform = transform(x).detach(), transform.inv
        log_determinant = transform.call_and_ladj(x)[1]
        expected = torch.linalg.slogdet(jacobian(lambda x, t=transform: t(x)[0], x)[:, 0])[1]
        torch.testing.assert_close(log_determinant[0], expected, atol=1e-6, rtol=1e-6)


@every_flow
def test_the_gradient_reaches_every_parameter(name: str):
    flow = make(name, 5)
    c = torch.randn(20, CONTEXT, requires_grad=True)
    flow(c).log_prob(data(name, 20, 5)).sum().backward()
    assert [key for key, p in flow.named_parameters() if p.grad is None or not (p.grad != 0).any()] == []
    if name in AMORTISED:
        assert (c.grad != 0).all()


@pytest.mark.parametrize("name", AMORTISED)
def test_each_step_depends_on_the_context(name: str):
    flow = make(name, 3)
    transform = flow.transform.transform if name == "posterior" else flow.transform
    x = data(name, 1, 3)
    is_conditional = []
    for step in transform.transforms:
        c = torch.randn(1, CONTEXT, requires_grad=True)
        out = step(c)(x)
        (gradient,) = torch.autograd.grad(out.sum(), c, allow_unused=True) if out.requires_grad else (None,)
        is_conditional.append(gradient is not None and bool((gradient != 0).all()))
    # a conditional flow starts with logits, a disentangling one with shared steps
    unconditional = {"conditional": 1, "disentangling": 4}.get(name, 0)
    assert is_conditional == [False] * unconditional + [True] * (len(is_conditional) - unconditional)


def test_the_posterior_has_the_steps_of_the_paper():
    assert len(flows.posterior_flow(3, CONTEXT).transform.transform.transforms) == 16


@every_flow
def test_densities_and_samples_do_not_depend_on_the_batch(name: str):
    flow = make(name, 5)
    with torch.no_grad():
        c, x = torch.randn(64, CONTEXT), data(name, 64, 5)
        together, alone = flow(c).log_prob(x)[:3], flow(c[:3]).log_prob(x[:3])
        torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-5)
        samples = []
        for items in (64, 3):
            torch.manual_seed(1)
            samples.append(sample_flow(flow(c[:items]), 2)[:, :3])
        torch.testing.assert_close(*samples, atol=1e-5, rtol=1e-4)


@every_flow
def test_a_flow_is_restored_from_its_state(name: str):
    flow, other = make(name, 5), make(name, 5, seed=1)
    c, x = torch.randn(8, CONTEXT), data(name, 8, 5)
    assert not torch.equal(flow(c).log_prob(x), other(c).log_prob(x))
    other.load_state_dict(flow.state_dict())
    assert torch.equal(flow(c).log_prob(x), other(c).log_prob(x))


@pytest.mark.slow
@every_flow
def test_the_density_integrates_to_one(name: str):
    flow, n = make(name, 2).double(), 100 if name in LATENTS else 400
    # scaled values are in (0, 1), so the values themselves extend slightly beyond
    margin = WIDTH / (1 - 2 * WIDTH)
    low, high = (-9.0, 9.0) if name in LATENTS else (-margin, 1 + margin)
    side = low + (high - low) * (torch.arange(n).double() + 0.5) / n
    grid = torch.cartesian_prod(side, side)
    with torch.no_grad():
        density = flow(torch.randn(1, CONTEXT).double().expand(len(grid), -1)).log_prob(grid).exp()
    assert density.sum() * ((high - low) / n) ** 2 == pytest.approx(1, abs=0.01)


@every_flow
def test_samples_have_the_returned_density(name: str):
    flow = make(name, 4)
    with torch.no_grad():
        q = flow(torch.randn(30, CONTEXT))
        z, log_density = q.rsample_and_log_prob()
        torch.testing.assert_close(log_density, q.log_prob(z), atol=2e-3, rtol=1e-3)


def test_sampling_with_density_evaluates_each_network_of_a_coupling_once():
    flow, calls = make("coupling", 4), []
    networks = [module.hyper for module in flow.modules() if hasattr(module, "hyper")]
    for network in networks:
        network.register_forward_hook(lambda module, *_: calls.append(module))
    flow(torch.randn(3, CONTEXT)).rsample_and_log_prob()
    assert len(networks) == 4
    assert len(calls) == len(set(calls)) == 4


@pytest.mark.slow
@pytest.mark.parametrize("name", LATENTS)
def test_an_untrained_posterior_is_finite(name: str):
    for seed in range(20):
        torch.manual_seed(seed)
        flow = FLOWS[name](16, 64)
        with torch.no_grad():
            z, log_density = flow(30 * torch.randn(50, 64)).rsample_and_log_prob()
        assert z.square().sum().isfinite()
        assert log_density.isfinite().all()


def test_items_share_noise_and_samples_do_not():
    flow = make("coupling", 4)
    with torch.no_grad():
        samples = sample_flow(flow(torch.randn(1, CONTEXT).expand(6, -1)), 3)
    assert samples.shape == (3, 6, 4)
    torch.testing.assert_close(samples, samples[:, :1].expand(-1, 6, -1))
    assert (samples[0] - samples[1]).abs().min() > 1e-4


def test_the_monte_carlo_kl_equals_that_of_gaussians():
    torch.manual_seed(0)
    q = flows.normal(torch.tensor([0.5, -1.0]), torch.tensor([0.3, 1.5]))
    z = q.sample((200_000,))
    prior = flows.normal(torch.zeros(2), torch.ones(2))
    assert flows.monte_carlo_kl(z, q.log_prob(z), prior).item() == pytest.approx(
        kl_divergence(q, prior).item(), abs=0.02
    )


def test_exact_values_have_finite_logits_and_are_restored():
    torch.manual_seed(0)
    steps = torch.linspace(0, 1, 128).expand(1000, -1)
    noisy = dequantise(steps)
    logits = logit_transform()(noisy)
    assert logits.abs().max() < 3
    restored = logit_transform().inv(logits).clamp(0, 1)
    assert (restored - steps).abs().max() <= WIDTH / 2 + 1e-6
    assert (restored[:, 0] == 0).float().mean() == pytest.approx(0.5, abs=0.1)
    assert (restored[:, -1] == 1).float().mean() == pytest.approx(0.5, abs=0.1)
    assert noisy.mean(dim=0).sub(steps[0]).abs().max() < WIDTH / 20
    torch.testing.assert_close(logit_transform().inv(logit_transform()(steps)), steps, atol=1e-5, rtol=0)


def test_a_spline_of_zeros_is_the_identity():
    x = torch.linspace(-7, 7, 101)
    zeros = [torch.zeros(101, bins) for bins in (8, 8, 7)]
    y, log_determinant = Spline(*zeros).call_and_ladj(x)
    torch.testing.assert_close(y, x, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(log_determinant, torch.zeros(101))


def moons(items: int, seed: int) -> Tensor:
    """Make presets of two parameters on two interlocked half circles."""
    generator = torch.Generator().manual_seed(seed)
    angle = math.pi * torch.rand(items, generator=generator)
    upper = torch.rand(items, generator=generator) < 0.5
    x = torch.where(upper, angle.cos(), 1 - angle.cos())
    y = torch.where(upper, angle.sin(), 0.5 - angle.sin())
    points = torch.stack(((x + 1.5) / 4, (y + 1.25) / 3), dim=1)
    return points + 0.01 * torch.randn(items, 2, generator=generator)


def energy_distance(a: Tensor, b: Tensor) -> float:
    return float(2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["conditional", "regression"])
def test_a_trained_flow_fits_the_data(name: str):
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
        samples = flow(c).rsample()
        assert energy_distance(samples, test) < 0.5 * energy_distance(gaussian.sample((1000,)), test)


def make_model(name: str, train: Batch, size: Size) -> models.Model:
    torch.manual_seed(0)
    model = models.find(name)(*train.mel.shape[1:], space(train.values.shape[1]), size)
    model.calibrate(train)
    return model


class NoCumulativeSums(TorchDispatchMode):
    """Rejects cumulative sums, which are not deterministic on GPUs."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func.overloadpacket is not torch.ops.aten.cumsum
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", FLOW_MODELS)
def test_training_is_deterministic_on_gpus(name: str, parts: tuple[Items, Items], size: Size):
    train = parts[0].all()
    model = make_model(name, train, size)
    with NoCumulativeSums():
        with pytest.raises(AssertionError):
            torch.ones(3).cumsum(0)
        model.loss(train)["loss"].backward()


@pytest.mark.parametrize("name", FLOW_MODELS)
def test_losses_are_weighted_by_the_epoch(name: str, parts: tuple[Items, Items], size: Size):
    train = parts[0].all()
    model = make_model(name, train, size).eval()
    model.at_epoch(0, 50)
    first = model.loss(train)
    assert first["selection"] == torch.inf
    torch.testing.assert_close(first["loss"], first["reconstruction"])
    model.at_epoch(15, 50)
    later = model.loss(train)
    assert later["selection"] == later["parameters"]
    expected = later["reconstruction"] + later["latent"] + model.full_gamma / 2 * later["parameters"]
    torch.testing.assert_close(later["loss"], expected)


def test_the_regression_flow_maps_presets_and_latents(parts: tuple[Items, Items], size: Size):
    train = parts[0].all()
    model = make_model("flow_reg", train, size).eval()
    values = torch.cat([train.values, torch.tensor([[0.0, 1.0, 0.5], [1.0, 1.0, 0.0]])])
    with torch.no_grad():
        torch.testing.assert_close(model.to_parameters(model.to_latent(values)), values, atol=1e-4, rtol=0)
        z = model.encode(train.mel)
        torch.testing.assert_close(model.decode_parameters(z, 2)[1], model.to_parameters(z))
        assert model.decode(model.to_latent(values)).shape == (72, 16, 20)


def test_the_likelihood_of_the_regression_flow_is_normalised(parts: tuple[Items, Items], size: Size):
    train = parts[0].all()
    model = make_model("flow_reg", Batch(train.mel, train.values[:, :2]), size).eval()
    n, margin = 200, WIDTH / (1 - 2 * WIDTH)
    side = -margin + (1 + 2 * margin) * (torch.arange(n) + 0.5) / n
    grid = torch.cartesian_prod(side, side)
    with torch.no_grad():
        posterior = model.distribution(train.mel[:1].expand(len(grid), -1, -1))
        total = model.log_density(posterior, grid).exp().sum() * ((1 + 2 * margin) / n) ** 2
    assert total == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(("name", "reached"), [("flow_reg", True), ("flow_reg_detached", False)])
def test_the_reconstruction_moves_only_the_posterior_of_an_attached_flow(
    name: str, reached: bool, parts: tuple[Items, Items], size: Size
):
    train = parts[0].all()
    model = make_model(name, train, size).train()
    torch.manual_seed(0)
    model.loss(train)["reconstruction"].backward()
    assert any(parameter.grad is not None for parameter in model.decoder.parameters())
    posterior = [*model.flow.parameters(), *model.encoder.parameters()]
    assert any(parameter.grad is not None and (parameter.grad != 0).any() for parameter in posterior) == reached


def test_the_published_objective_averages_the_determinant(parts: tuple[Items, Items], size: Size):
    train = parts[0].all()
    model = make_model("flow_reg_published", train, size).eval()
    with torch.no_grad():
        model.log_std.fill_(-1.0)
        z = model.encode(train.mel)
        predictions, log_determinant = model.regressor.to_parameters(z)
        error = -Normal(predictions, math.exp(-1)).log_prob(train.values).mean()
        expected = error - log_determinant.mean() / (70 * 3)
        torch.testing.assert_close(model.parameter_loss(z, train.values), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["flow_reg", "flow_cond"])
def test_all_modes_of_a_posterior_are_sampled(name: str, parts: tuple[Items, Items]):
    train = parts[0].all()
    torch.manual_seed(0)
    # the last parameter is inaudible and bimodal: 0.2 or 0.8
    values = torch.cat([train.values[:, 1:], torch.where(torch.rand(70, 1) < 0.5, 0.2, 0.8)], dim=1)
    batch = Batch(train.mel, values)
    model = make_model(name, batch, Size(layers=2, channels=8, kernel=3, mlp_layers=2, units=64, dropout=0.0)).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(120):
        optimizer.zero_grad()
        # permute the parameter in each batch, so that sounds carry no information about it
        batch = Batch(train.mel, torch.cat([values[:, :2], values[torch.randperm(70), 2:]], dim=1))
        model.loss(batch)["loss"].backward()
        optimizer.step()
    with torch.no_grad():
        samples = model.infer(train.mel, 200)[:, :, 2]
    low, high = ((samples - mode).abs() < 0.1 for mode in (0.2, 0.8))
    assert low.float().mean() > 0.25
    assert high.float().mean() > 0.25
    assert (low | high).float().mean() > 0.8
