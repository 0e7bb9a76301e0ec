"""The contract: what every model promises, whoever wrote it."""

import ast
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from flowsynth.data.dataset import Batch, Items
from flowsynth.inference.predict import predict
from flowsynth.metrics.distances import log_mel_distances
from flowsynth.models import base as models
from flowsynth.models import registry
from flowsynth.models.nn.networks import Size
from flowsynth.models.surrogates.base import Surrogate
from flowsynth.training.checkpoints import load, save

NAMES = models.names()
TRAINED = [name for name in NAMES if not issubclass(models.find(name), models.Control)]


def make(name: str, train: Batch, size: Size) -> models.Model:
    torch.manual_seed(0)
    _, mels, frames = train.mel.shape
    model = models.find(name)(mels, frames, train.values.shape[1], size)
    model.calibrate(train)
    if isinstance(model, models.Control):
        model.fit(train)
    return model.eval()


@pytest.mark.parametrize("name", [name for name in TRAINED if models.find(name).capturable])
def test_a_captured_step_copies_nothing_from_its_device(name: str, size: Size):
    """On a device without values, whatever would wait for one fails."""
    model = models.find(name)(64, 80, 6, size).to("meta").train()
    batch = Batch(torch.empty(16, 64, 80, device="meta"), torch.empty(16, 6, device="meta"))
    model.loss(batch)["loss"].backward()


def test_all_models_are_found():
    assert {"oracle", "mean", "random", "nearest", "mlp", "cnn"} <= set(NAMES)


def test_an_unknown_model_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown model 'cnm', expected one of \['.*'cnn', "):
        models.find("cnm")


@pytest.mark.parametrize("name", NAMES)
def test_its_file_says_what_it_is_and_what_kind_it_is_of(name: str):
    """What is planned goes by the source, where nothing is imported; what is run goes by the class."""
    found = models.find(name)
    assert found.__doc__
    assert ast.get_docstring(ast.parse(registry.source(name).read_text()))
    assert registry.is_control(name) == issubclass(found, models.Control)
    assert (name in registry.surrogates()) == issubclass(found, Surrogate)
    assert (name in registry.people_only()) == issubclass(found, models.PeopleOnly)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_was_loaded_answers_as_the_one_that_was_saved(
    name: str, parts: tuple[Items, Items], size: Size, tmp_path: Path
):
    train, valid = (part.all() for part in parts)
    model = make(name, train, size)
    save(model, name, ("a", "b", "c"), {}, tmp_path / "checkpoint.pt")
    answers = []
    for fitted in (model, load(tmp_path / "checkpoint.pt")[0]):
        torch.manual_seed(1)
        with torch.no_grad():
            answers.append(predict(fitted, valid.mel[:5], valid.values[:5], 2))
    assert (answers[0] == answers[1]).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [1, 3])
def test_answers_have_their_shape_and_range(name: str, n: int, parts: tuple[Items, Items], size: Size):
    train, valid = (part.all() for part in parts)
    model = make(name, train, size)
    with torch.no_grad():
        found = predict(model, valid.mel, valid.values, n)
    assert found.shape == (n, 20, 3)
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize("name", [name for name in NAMES if name != "oracle"])
def test_the_true_parameters_make_no_difference(name: str, parts: tuple[Items, Items], size: Size):
    train, valid = (part.all() for part in parts)
    model = make(name, train, size)
    answers = []
    for truth in (valid.values, 1 - valid.values):
        torch.manual_seed(1)
        with torch.no_grad():
            answers.append(predict(model, valid.mel, truth, 2))
    assert (answers[0] == answers[1]).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("oracle", "random", "mean")])
def test_the_sound_makes_a_difference(name: str, parts: tuple[Items, Items], size: Size):
    train, valid = (part.all() for part in parts)
    model = make(name, train, size)
    torch.manual_seed(1)
    with torch.no_grad():
        found = model.infer(valid.mel, 1)[0]
    assert found.std(dim=0).max() > 1e-4


@pytest.mark.parametrize("name", TRAINED)
def test_answers_do_not_depend_on_the_batch(name: str, parts: tuple[Items, Items], size: Size):
    train, valid = (part.all() for part in parts)
    model = make(name, train, size)
    with torch.no_grad():
        torch.manual_seed(1)
        together = model.infer(valid.mel[:5], 1)[0, :1]
        torch.manual_seed(1)
        alone = model.infer(valid.mel[:1], 1)[0]
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize("name", [name for name in NAMES if models.find(name).at_once > 1])
def test_answers_of_several_sounds_at_once_have_the_bits_of_one_at_a_time_and_nothing_random(
    name: str, parts: tuple[Items, Items], size: Size
):
    train, valid = (part.all() for part in parts)
    model, state = make(name, train, size), torch.get_rng_state()
    with torch.no_grad():
        together = model.infer(valid.mel[: model.at_once], 3)
        alone = torch.cat([model.infer(mel[None], 3) for mel in valid.mel[: model.at_once]], dim=1)
    assert torch.equal(together, alone)
    assert torch.equal(torch.get_rng_state(), state)


def test_what_a_model_makes_anew_is_no_part_of_its_file(
    parts: tuple[Items, Items], size: Size, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class Windowed(models.find("cnn")):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **named: Any):
            super().__init__(*arguments, **named)
            self.register_buffer("window", torch.hann_window(8), persistent=False)

    monkeypatch.setattr(models, "find", lambda name: Windowed)
    save(make("windowed", parts[0].all(), size), "windowed", ("a", "b", "c"), {}, tmp_path / "checkpoint.pt")
    assert load(tmp_path / "checkpoint.pt")[0].window.shape == (8,)


class NoiseOfTheCPU(TorchDispatchMode):
    """Refuses noise of any other device: the same seed would give another one there."""

    def __torch_dispatch__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        found = function(*args, **(kwargs or {}))
        if torch.Tag.nondeterministic_seeded in function.tags:
            assert found.device.type == "cpu", f"{function} on {found.device}"
        return found


@pytest.mark.parametrize("name", TRAINED)
def test_answers_are_on_the_device_of_the_sounds_and_noise_is_that_of_the_cpu(name: str, size: Size):
    """By the device of torch that computes shapes and no values; a tensor left on the CPU can't be mixed with its."""
    model = models.find(name)(16, 20, 3, size).to("meta").eval()
    try:
        with torch.no_grad(), NoiseOfTheCPU():
            found = model.infer(torch.zeros(2, 16, 20, device="meta"), 4)
    except NotImplementedError as error:  # it has no answer to which elements are nonzero, as splines ask
        assert "nonzero" in str(error)
    else:
        assert found.device.type == "meta"


@pytest.mark.parametrize("name", TRAINED)
def test_the_gradient_reaches_every_parameter(name: str, parts: tuple[Items, Items], size: Size):
    train, _ = (part.all() for part in parts)
    model = make(name, train, size).train()
    model.loss(train)["loss"].backward()
    silent = [key for key, p in model.named_parameters() if p.grad is None or not (p.grad != 0).any()]
    assert silent == []


@pytest.mark.parametrize("name", TRAINED)
def test_a_model_learns_eight_items_by_heart(name: str, parts: tuple[Items, Items]):
    train, _ = (part.all() for part in parts)
    eight = Batch(train.mel[:8], train.values[:8])
    model = make(name, eight, Size(layers=2, channels=8, kernel=3, mlp_layers=2, units=64, dropout=0.0)).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    enough = 0.02 * eight.values.var(dim=0).mean()
    for _ in range(24):  # as long as it takes
        for _ in range(25):
            optimizer.zero_grad()
            model.loss(eight)["loss"].backward()
            optimizer.step()
        # by the answers, since losses have no common zero: a likelihood can be any number
        with torch.no_grad():
            errors = (model.infer(eight.mel, 16) - eight.values).square().mean(dim=2).min(dim=0).values.mean()
        if errors < enough:
            break
    assert errors < enough


@pytest.mark.parametrize("name", [name for name in NAMES if name not in TRAINED])
def test_a_control_is_not_trained(name: str, parts: tuple[Items, Items], size: Size):
    train, _ = (part.all() for part in parts)
    model = make(name, train, size)
    assert not list(model.parameters())
    with pytest.raises(TypeError, match="is a control"):
        model.loss(train)


def test_the_oracle_gives_the_truth(parts: tuple[Items, Items], size: Size):
    train, valid = (part.all() for part in parts)
    model = make("oracle", train, size)
    assert (predict(model, valid.mel, valid.values, 2) == valid.values.numpy()).all()
    with pytest.raises(TypeError, match="from the truth"):
        model.infer(valid.mel, 1)


def test_the_mean_is_the_mean(parts: tuple[Items, Items], size: Size):
    train, valid = (part.all() for part in parts)
    found = make("mean", train, size).infer(valid.mel, 1)
    torch.testing.assert_close(found[0, 7], train.values.mean(dim=0))


def test_the_nearest_is_the_nearest(parts: tuple[Items, Items], size: Size):
    train, _ = (part.all() for part in parts)
    model = make("nearest", train, size)
    torch.testing.assert_close(model.infer(train.mel[:9] + 1e-3, 2)[0], train.values[:9])
    first, second = model.infer(train.mel[:1], 2)
    assert not torch.equal(first, second)


def test_distances_to_many_sounds_at_a_time_have_the_bits_of_one_subtraction():
    known, heard = torch.randn(600, 64, 80), torch.randn(64, 80)
    assert torch.equal(log_mel_distances(known, heard), (known - heard).abs().mean(dim=(1, 2)))
    assert log_mel_distances(known[:0], heard).shape == (0,)


def test_random_draws_from_the_training_presets(parts: tuple[Items, Items], size: Size):
    train, valid = (part.all() for part in parts)
    found = make("random", train, size).infer(valid.mel, 4).reshape(-1, 3)
    known = {tuple(row) for row in train.values.tolist()}
    drawn = {tuple(row) for row in found.tolist()}
    assert drawn <= known
    assert len(drawn) > 20
