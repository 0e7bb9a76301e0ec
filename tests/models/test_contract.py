"""Contract that every model fulfils."""

import ast
from pathlib import Path
from typing import Any

import pytest
import torch
from small import space
from torch.utils._python_dispatch import TorchDispatchMode

from flowsynth.data.dataset import Batch, Items
from flowsynth.data.distances import log_mel_distances
from flowsynth.inference.predict import predict
from flowsynth.models import base as models
from flowsynth.models import registry
from flowsynth.models.autoencoders.base import LatentModel
from flowsynth.models.nn.networks import Size
from flowsynth.models.surrogates.base import Surrogate
from flowsynth.models.systems import DETERMINISTIC
from flowsynth.synths.parameter_space import ParameterSpace
from flowsynth.training.checkpoints import load, save

NAMES = models.names()
ON_STEPS = {"mlp", "cnn", "resnet", "ast", "ae", "vae", "wae", "vae_flow", "mdn", "npe_nsf", "proxy"}
MIXED = ParameterSpace(
    tuple("abcdef"),
    ("continuous", "category", "stepped", "category", "continuous", "category"),
    (None, 4, 8, 2, None, 32),
)
TRAINED = [name for name in NAMES if not issubclass(models.find(name), models.Control)]


def make(name: str, train: Batch, size: Size) -> models.Model:
    torch.manual_seed(0)
    _, mels, frames = train.mel.shape
    model = models.find(name)(mels, frames, space(train.values.shape[1]), size)
    model.calibrate(train)
    if isinstance(model, models.Control):
        model.fit(train)
    return model.eval()


@pytest.mark.parametrize("name", [name for name in TRAINED if models.find(name).capturable])
def test_a_capturable_loss_copies_nothing_from_the_device(name: str, size: Size):
    """On the meta device, copying a value fails."""
    for parameters in (space(6), MIXED):
        model = models.find(name)(64, 80, parameters, size).to("meta").train()
        batch = Batch(torch.empty(16, 64, 80, device="meta"), torch.empty(16, 6, device="meta"))
        model.loss(batch)["loss"].backward()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "oracle"])
def test_categories_are_learnt_beside_other_parameters(name: str, size: Size):
    torch.manual_seed(0)
    steps = torch.tensor([s or 1001 for s in MIXED.steps])
    values = torch.floor(torch.rand(32, len(MIXED)) * steps) / (steps - 1)
    train = Batch(torch.randn(32, 16, 20), values)
    model = models.find(name)(16, 20, MIXED, size)
    model.calibrate(train)
    if isinstance(model, models.Control):
        model.fit(train)
    else:
        loss = model.loss(train)["loss"]
        loss.backward()
        assert torch.isfinite(loss)
    with torch.no_grad():
        predicted = model.eval().infer(train.mel[:5], 2)
    assert predicted.shape == (2, 5, 6)
    assert ((predicted >= 0) & (predicted <= 1)).all()
    if name in ON_STEPS:
        categories = predicted[..., [1, 3, 5]] * torch.tensor([3, 1, 31])
        assert torch.allclose(categories, categories.round(), atol=1e-5)


def test_all_models_are_found():
    assert {"oracle", "mean", "random", "nearest", "mlp", "cnn"} <= set(NAMES)


def test_the_error_for_an_unknown_model_lists_all_models():
    with pytest.raises(ValueError, match=r"unknown model 'cnm', expected one of \['.*'cnn', "):
        models.find("cnm")


@pytest.mark.parametrize("name", NAMES)
def test_model_and_module_have_docstrings(name: str):
    assert models.find(name).__doc__
    assert ast.get_docstring(ast.parse(registry.source_file(name).read_text()))


@pytest.mark.parametrize("name", NAMES)
def test_the_registry_agrees_with_the_class(name: str):
    """The registry does not import models: it goes by their folders, and by names."""
    model = models.find(name)
    assert registry.kind(name) == model.kind
    assert (name in registry.controls()) == issubclass(model, models.Control)
    assert (registry.kind(name) == "autoencoders") == issubclass(model, LatentModel)
    assert (name in registry.surrogates()) == issubclass(model, Surrogate)
    assert (name in registry.human_presets_only()) == model.human_presets_only


@pytest.mark.parametrize("name", NAMES)
def test_models_of_one_prediction_are_listed(name: str, parts: tuple[Items, Items], size: Size):
    """The configuration refuses best of N of these, without loading models."""
    train, valid = (part.all() for part in parts)
    with torch.no_grad():
        predictions = predict(make(name, train, size), valid.mel[:2], valid.values[:2], 4)
    assert (name in DETERMINISTIC) == bool((predictions == predictions[:1]).all())


@pytest.mark.parametrize("name", NAMES)
def test_a_loaded_model_predicts_as_the_saved_one(name: str, parts: tuple[Items, Items], size: Size, tmp_path: Path):
    train, valid = (part.all() for part in parts)
    model = make(name, train, size)
    save(model, name, {}, {}, tmp_path / "checkpoint.pt")
    predictions = []
    for fitted in (model, load(tmp_path / "checkpoint.pt").model):
        torch.manual_seed(1)
        with torch.no_grad():
            predictions.append(predict(fitted, valid.mel[:5], valid.values[:5], 2))
    assert (predictions[0] == predictions[1]).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [1, 3])
def test_predictions_have_the_shape_and_range(name: str, n: int, parts: tuple[Items, Items], size: Size):
    train, valid = (part.all() for part in parts)
    model = make(name, train, size)
    with torch.no_grad():
        predictions = predict(model, valid.mel, valid.values, n)
    assert predictions.shape == (n, 20, 3)
    assert predictions.min() >= 0
    assert predictions.max() <= 1


@pytest.mark.parametrize("name", [name for name in NAMES if name != "oracle"])
def test_predictions_do_not_depend_on_the_true_parameters(name: str, parts: tuple[Items, Items], size: Size):
    train, valid = (part.all() for part in parts)
    model = make(name, train, size)
    predictions = []
    for truth in (valid.values, 1 - valid.values):
        torch.manual_seed(1)
        with torch.no_grad():
            predictions.append(predict(model, valid.mel, truth, 2))
    assert (predictions[0] == predictions[1]).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("oracle", "random", "mean")])
def test_predictions_depend_on_the_sound(name: str, parts: tuple[Items, Items], size: Size):
    train, valid = (part.all() for part in parts)
    model = make(name, train, size)
    torch.manual_seed(1)
    with torch.no_grad():
        predictions = model.infer(valid.mel, 1)[0]
    assert predictions.std(dim=0).max() > 1e-4


@pytest.mark.parametrize("name", TRAINED)
def test_predictions_do_not_depend_on_the_batch(name: str, parts: tuple[Items, Items], size: Size):
    train, valid = (part.all() for part in parts)
    model = make(name, train, size)
    with torch.no_grad():
        torch.manual_seed(1)
        together = model.infer(valid.mel[:5], 1)[0, :1]
        torch.manual_seed(1)
        alone = model.infer(valid.mel[:1], 1)[0]
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize("name", [name for name in NAMES if models.find(name).inference_batch > 1])
def test_batched_inference_is_deterministic_and_bit_identical(name: str, parts: tuple[Items, Items], size: Size):
    train, valid = (part.all() for part in parts)
    model, state = make(name, train, size), torch.get_rng_state()
    with torch.no_grad():
        together = model.infer(valid.mel[: model.inference_batch], 3)
        alone = torch.cat([model.infer(mel[None], 3) for mel in valid.mel[: model.inference_batch]], dim=1)
    assert torch.equal(together, alone)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_checkpoint_has_no_non_persistent_buffers(
    parts: tuple[Items, Items], size: Size, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class Windowed(models.find("cnn")):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any):
            super().__init__(*args, **options)
            self.register_buffer("window", torch.hann_window(8), persistent=False)

    monkeypatch.setattr(models, "find", lambda name: Windowed)
    save(make("windowed", parts[0].all(), size), "windowed", {}, {}, tmp_path / "checkpoint.pt")
    assert load(tmp_path / "checkpoint.pt").model.window.shape == (8,)


class CPUNoiseOnly(TorchDispatchMode):
    """Rejects random numbers of other devices, where the same seed gives other numbers."""

    def __torch_dispatch__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        output = function(*args, **(kwargs or {}))
        if torch.Tag.nondeterministic_seeded in function.tags:
            assert output.device.type == "cpu", f"{function} on {output.device}"
        return output


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_predictions_stay_on_the_device_and_noise_on_the_cpu(name: str, size: Size):
    """On the meta device, which computes shapes without values; its tensors do not mix with tensors on the CPU."""
    model = models.find(name)(16, 20, space(3), size).to("meta").eval()
    with torch.no_grad(), CPUNoiseOnly():
        predictions = model.infer(torch.zeros(2, 16, 20, device="meta"), 4)
    assert predictions.device.type == "meta"


@pytest.mark.parametrize("name", TRAINED)
def test_the_gradient_reaches_every_parameter(name: str, parts: tuple[Items, Items], size: Size):
    train, _ = (part.all() for part in parts)
    model = make(name, train, size).train()
    model.loss(train)["loss"].backward()
    without_gradient = [key for key, p in model.named_parameters() if p.grad is None or not (p.grad != 0).any()]
    assert without_gradient == []


@pytest.mark.slow
# flow_reg_published needs hundreds of steps; its loss is tested in test_flows.py
@pytest.mark.parametrize("name", [name for name in TRAINED if name != "flow_reg_published"])
def test_a_model_overfits_eight_items(name: str, parts: tuple[Items, Items]):
    train, _ = (part.all() for part in parts)
    eight = Batch(train.mel[:8], train.values[:8])
    model = make(name, eight, Size(layers=2, channels=8, kernel=3, mlp_layers=2, units=64, dropout=0.0)).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    threshold = 0.02 * eight.values.var(dim=0).mean()
    for _ in range(24):
        for _ in range(25):
            optimizer.zero_grad()
            model.loss(eight)["loss"].backward()
            optimizer.step()
        # by the predictions, because losses such as likelihoods have no common minimum
        with torch.no_grad():
            errors = (model.infer(eight.mel, 16) - eight.values).square().mean(dim=2).min(dim=0).values.mean()
        if errors < threshold:
            break
    assert errors < threshold


@pytest.mark.parametrize("name", [name for name in NAMES if name not in TRAINED])
def test_a_control_is_not_trained(name: str, parts: tuple[Items, Items], size: Size):
    train, _ = (part.all() for part in parts)
    model = make(name, train, size)
    assert not list(model.parameters())
    with pytest.raises(TypeError, match=f"{type(model).__name__} is a control"):
        model.loss(train)


def test_the_oracle_returns_the_truth(parts: tuple[Items, Items], size: Size):
    train, valid = (part.all() for part in parts)
    model = make("oracle", train, size)
    assert (predict(model, valid.mel, valid.values, 2) == valid.values.numpy()).all()
    with pytest.raises(TypeError, match="infer_from_truth"):
        model.infer(valid.mel, 1)


def test_mean_predicts_the_mean(parts: tuple[Items, Items], size: Size):
    train, valid = (part.all() for part in parts)
    predictions = make("mean", train, size).infer(valid.mel, 1)
    torch.testing.assert_close(predictions[0, 7], train.values.mean(dim=0))


def test_nearest_predicts_the_nearest_neighbours(parts: tuple[Items, Items], size: Size):
    train, _ = (part.all() for part in parts)
    model = make("nearest", train, size)
    torch.testing.assert_close(model.infer(train.mel[:9] + 1e-3, 2)[0], train.values[:9])
    first, second = model.infer(train.mel[:1], 2)
    assert not torch.equal(first, second)


def test_distances_to_many_sounds_equal_one_subtraction():
    references, target = torch.randn(600, 64, 80), torch.randn(64, 80)
    assert torch.equal(log_mel_distances(references, target), (references - target).abs().mean(dim=(1, 2)))
    assert log_mel_distances(references[:0], target).shape == (0,)


def test_random_samples_training_presets(parts: tuple[Items, Items], size: Size):
    train, valid = (part.all() for part in parts)
    predictions = make("random", train, size).infer(valid.mel, 4).reshape(-1, 3)
    training_presets = {tuple(row) for row in train.values.tolist()}
    samples = {tuple(row) for row in predictions.tolist()}
    assert samples <= training_presets
    assert len(samples) > 20
