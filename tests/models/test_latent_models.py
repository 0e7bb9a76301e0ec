"""Autoencoder models: latent terms, warm-ups, reconstructions."""

import math

import pytest
import torch
from small import space

from flowsynth.data.dataset import Batch, Items
from flowsynth.data.semantics import SEMANTIC_PAIRS
from flowsynth.models import base as models
from flowsynth.models.autoencoders import base
from flowsynth.models.autoencoders.base import LatentModel, kl_to_prior, mmd, reconstruction_loss, sample
from flowsynth.models.nn.networks import Size

NAMES = [name for name in models.names() if issubclass(models.find(name), LatentModel)]


def make(name: str, batch: Batch, size: Size) -> LatentModel:
    torch.manual_seed(0)
    model = models.find(name)(*batch.mel.shape[1:], space(batch.values.shape[1]), size)
    model.calibrate(batch)
    return model


def test_all_latent_models_are_found():
    assert {"ae", "vae", "wae"} <= set(NAMES)


def test_kl_is_the_closed_form():
    torch.manual_seed(0)
    mean, logvar = torch.randn(2, 7, 5)
    gaussian = torch.distributions.Normal(mean, torch.exp(logvar / 2))
    expected = torch.distributions.kl_divergence(gaussian, torch.distributions.Normal(0.0, 1.0)).sum(dim=1).mean()
    torch.testing.assert_close(kl_to_prior(mean, logvar), expected)


def test_kl_is_zero_at_the_prior_and_positive_elsewhere():
    zero = torch.zeros(3, 4)
    assert kl_to_prior(zero, zero) == 0
    for shift in (-3.0, -0.01, 0.01, 3.0):
        assert kl_to_prior(zero + shift, zero) > 0
        assert kl_to_prior(zero, zero + shift) > 0


def test_mmd_is_the_sum_over_pairs():
    torch.manual_seed(0)
    a, b = torch.randn(4, 3), torch.randn(6, 3) + 1

    def kernel(x: torch.Tensor, y: torch.Tensor) -> float:
        pairs = [
            math.exp(-sum((p - q) ** 2 for p, q in zip(i, j, strict=True)) / 9) for i in x.tolist() for j in y.tolist()
        ]
        return sum(pairs) / len(pairs)

    assert mmd(a, b).item() == pytest.approx(kernel(a, a) + kernel(b, b) - 2 * kernel(a, b), rel=1e-5)


def test_mmd_separates_distributions():
    torch.manual_seed(0)
    a, b = torch.randn(2, 500, 4)
    assert mmd(a, a) == pytest.approx(0, abs=1e-6)
    assert 0 <= mmd(a, b) < 0.02 < mmd(a, b + 1)
    assert mmd(a, b * 0.2) > 0.02


def test_samples_have_the_given_mean_and_variance():
    torch.manual_seed(0)
    mean, logvar = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, -3.0]])
    samples = sample(mean.expand(20000, 2), logvar.expand(20000, 2))
    torch.testing.assert_close(samples.mean(dim=0, keepdim=True), mean, atol=0.03, rtol=0)
    torch.testing.assert_close(samples.var(dim=0, keepdim=True), logvar.exp(), atol=0, rtol=0.05)


def test_reconstruction_is_a_sum_over_bins_and_mean_over_items():
    reconstruction, target = torch.zeros(5, 4, 3), torch.full((5, 4, 3), 2.0)
    assert reconstruction_loss(reconstruction, target) == 4 * 12
    assert reconstruction_loss(reconstruction[:1], target[:1]) == 4 * 12


@pytest.mark.parametrize("name", NAMES)
def test_warm_ups_are_fifths_of_the_training(name: str, parts: tuple[Items, Items], size: Size):
    model = make(name, parts[0].all(), size)
    full = model.full_gamma
    assert (model.beta, model.gamma) == (1, full)
    expected = {0: (0, 0), 50: (0.5, 0), 100: (1, 0), 101: (1, 0.01), 150: (1, 0.5), 200: (1, 1), 499: (1, 1)}
    for epoch, (beta, gamma) in expected.items():
        model.at_epoch(epoch, 500)
        assert (model.beta, model.gamma) == (beta, pytest.approx(gamma * full))
    for epochs in range(1, 30):  # the last epoch of any training can be selected
        model.at_epoch(epochs - 1, epochs)
        assert model.gamma > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_is_weighted_and_selection_follows_gamma(name: str, parts: tuple[Items, Items], size: Size):
    model = make(name, parts[0].all(), size).eval()
    for epoch in (0, 50, 100, 130, 400):
        model.at_epoch(epoch, 500)
        terms = model.loss(parts[0].all())
        weighted = terms["reconstruction"] + model.beta * terms["latent"] + model.gamma * terms["parameters"]
        torch.testing.assert_close(terms["loss"], weighted)
        assert terms["selection"] == (terms["parameters"] if epoch > 100 else math.inf)


@pytest.mark.parametrize("name", NAMES)
def test_the_regressor_has_no_gradient_while_gamma_is_0(name: str, parts: tuple[Items, Items], size: Size):
    model = make(name, parts[0].all(), size)
    for epoch, trained in ((20, False), (40, True)):
        model.at_epoch(epoch, 100)
        model.zero_grad()
        model.loss(parts[0].all())["loss"].backward()
        assert all((p.grad is not None) == trained for p in model.regressor.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_encode_and_decode_are_deterministic(name: str, parts: tuple[Items, Items], size: Size):
    mel = parts[0].all().mel
    model = make(name, parts[0].all(), size).eval()
    with torch.no_grad():
        z = model.encode(mel)
        assert z.shape == (70, 3)
        assert torch.equal(z, model.encode(mel))
        decoded = model.decode(z)
        assert decoded.shape == mel.shape
        torch.testing.assert_close(model.standardise(decoded), model.decoder(z), atol=1e-4, rtol=1e-4)
        samples, term = model.posterior(mel)
    assert samples.shape == z.shape
    assert term.shape == ()


def test_terms_do_not_depend_on_the_batch_size(parts: tuple[Items, Items], size: Size):
    batch = parts[0].all()
    model = make("ae", batch, size).eval()
    whole = model.loss(batch)
    halves = [model.loss(Batch(batch.mel[part], batch.values[part])) for part in (slice(35), slice(35, 70))]
    for key in ("loss", "reconstruction", "parameters"):
        torch.testing.assert_close((halves[0][key] + halves[1][key]) / 2, whole[key])


def test_the_latent_term_of_a_vae_is_a_mean_over_items(parts: tuple[Items, Items], size: Size):
    mel = parts[0].all().mel
    model = make("vae", parts[0].all(), size).eval()
    _, whole = model.posterior(mel)
    torch.testing.assert_close(sum(model.posterior(mel[i : i + 1])[1] for i in range(70)) / 70, whole)


@pytest.mark.parametrize("bias", [-1e6, -50.0, 50.0, 1e6])
@pytest.mark.parametrize("name", ["vae", "wae"])
def test_extreme_variances_have_finite_losses_and_gradients(
    name: str, bias: float, parts: tuple[Items, Items], size: Size
):
    model = make(name, parts[0].all(), size)
    torch.nn.init.constant_(model.logvar.bias, bias)
    terms = model.loss(parts[0].all())
    terms["loss"].backward()
    assert all(torch.isfinite(value) for value in terms.values())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
    assert model.gaussian(parts[0].all().mel)[1].abs().max() <= base.MAX_LOGVAR


def smooth_sounds(items: int) -> Batch:
    """Make spectrograms with one ridge, whose band, width and decay are the parameters."""
    values = torch.rand(items, 3)
    band, width, decay = (values[:, i, None, None] for i in range(3))
    mels, frames = torch.arange(16.0)[:, None], torch.arange(20.0)
    return Batch(4 * torch.exp(-(((mels - 2 - 12 * band) / (1 + 3 * width)) ** 2) - 0.2 * decay * frames) - 5, values)


def trained(name: str, train: Batch, steps: int) -> LatentModel:
    """Train a model for some steps of 64 sounds each."""
    model = make(name, train, Size(layers=2, channels=16, kernel=5, mlp_layers=2, units=64, dropout=0.0)).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for step in range(steps):
        rows = slice(64 * (step % 4), 64 * (step % 4) + 64)
        optimizer.zero_grad()
        model.loss(Batch(train.mel[rows], train.values[rows]))["loss"].backward()
        optimizer.step()
    return model.eval()


@pytest.mark.slow
def test_a_vae_reconstructs_and_predicts_better_than_the_mean():
    torch.manual_seed(1)
    train, test = smooth_sounds(256), smooth_sounds(64)
    model = trained("vae", train, 160)
    with torch.no_grad():
        reconstruction_error = (model.decode(model.encode(test.mel)) - test.mel).square().mean()
        parameter_error = (model.infer(test.mel, 1)[0] - test.values).square().mean()
    assert reconstruction_error < 0.3 * (test.mel - train.mel.mean(dim=0)).square().mean()
    assert parameter_error < 0.3 * (test.values - train.values.mean(dim=0)).square().mean()


@pytest.mark.slow
def test_the_first_dimension_of_flow_dis_separates_brightness():
    torch.manual_seed(1)
    # brightness is no parameter that the first dimension follows without being trained to
    train, test = (
        Batch(sounds.mel, 1 - sounds.values.roll(1, 1)) for sounds in (smooth_sounds(256), smooth_sounds(200))
    )
    model = trained("flow_dis", train, 60)
    pair = SEMANTIC_PAIRS[model.pair]
    tags = pair.tags(test.mel, pair.thresholds(train.mel))
    with torch.no_grad():
        first_dimension = model.encode(test.mel)[:, 0]
        # a traversal of the dimension, with the others at 0, increases the brightness
        traversal = torch.zeros(5, 3)
        traversal[:, 0] = torch.linspace(-1.5, 1.5, 5)
        brightness = pair.descriptor(model.decode(traversal))
    assert (first_dimension.sign() == tags)[tags != 0].float().mean() > 0.75  # 0.6 without that loss
    assert (brightness.diff() > 0).float().mean() >= 0.75
