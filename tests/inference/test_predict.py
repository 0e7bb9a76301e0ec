"""Inference: every item alone, with a seed of its own."""

from pathlib import Path

import numpy as np
import pytest
import torch

from flowsynth.core import hdf5
from flowsynth.data.dataset import Items
from flowsynth.inference.predict import answer, infer
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.training.accelerator import device_of
from flowsynth.training.config import Plan
from flowsynth.training.fit import fit

PLAN = Plan(epochs=1, batch_size=16, learning_rate=0.01, patience=0, threads=1, accelerator="auto", precision="32-true")


def estimates(name: str, folder: Path, parts: tuple[Items, Items], size: Size, items: Items, seed: int = 1) -> dict:
    path = folder / "checkpoint.pt"
    if not path.exists():
        fit(name, *parts, size, PLAN, 5, path, folder / "history.csv", folder / "progress")
    infer(path, items, 3, seed, folder / "predictions.h5", "auto")
    with hdf5.reading(folder / "predictions.h5") as file:
        assert file["estimates"].shape == (len(items), 3, 3)
        return dict(zip(hdf5.ids(file), file["estimates"][:].tolist(), strict=True))


@pytest.mark.parametrize("name", models.names())
def test_an_answer_depends_on_its_item_only(name: str, tmp_path: Path, parts: tuple[Items, Items], size: Size):
    _, valid = parts
    few = Items(valid.paths, valid.ids[:6][::-1], valid.names)
    all_of_them = estimates(name, tmp_path, parts, size, valid)
    some = estimates(name, tmp_path, parts, size, few)
    assert len(all_of_them) == 20
    assert all(some[name] == all_of_them[name] for name in few.ids)


def test_the_seed_decides_what_is_drawn(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    first = estimates("random", tmp_path, parts, size, parts[1], seed=1)
    assert estimates("random", tmp_path, parts, size, parts[1], seed=1) == first
    assert estimates("random", tmp_path, parts, size, parts[1], seed=2) != first


def test_a_model_of_other_parameters_is_refused(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    estimates("mean", tmp_path, parts, size, parts[1])
    other = Items(parts[1].paths, parts[1].ids, ("a", "c"))
    with pytest.raises(ValueError, match=r"infers \['a', 'b', 'c'\], expected \['a', 'c'\]"):
        infer(tmp_path / "checkpoint.pt", other, 1, 1, tmp_path / "predictions.h5")


def test_where_a_model_answers(monkeypatch: pytest.MonkeyPatch):
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: gpu)
    assert [device_of(accelerator) for accelerator in ("cpu", "gpu", "auto")] == [cpu, gpu, gpu]
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: None)
    assert [device_of(accelerator) for accelerator in ("cpu", "auto")] == [cpu, cpu]
    with pytest.raises(ValueError, match="accelerator 'gpu', but torch finds none here"):
        device_of("gpu")
    with pytest.raises(ValueError, match="accelerator 'tpu', expected cpu, gpu or auto"):
        device_of("tpu")


@pytest.mark.parametrize("name", ["mean", "cnn"])
def test_a_trained_model_goes_to_the_accelerator_and_a_control_does_not(
    name: str, tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    """The device of torch that computes shapes and no values stands for a GPU."""
    estimates(name, tmp_path, parts, size, parts[1])
    asked = []
    monkeypatch.setattr("flowsynth.inference.predict.device_of", lambda accelerator: torch.device("meta"))
    monkeypatch.setattr(
        "flowsynth.inference.predict.answer", lambda model, mel, *_: asked.append((model, mel)) or np.zeros((1, 1, 3))
    )
    infer(tmp_path / "checkpoint.pt", parts[1], 1, 1, tmp_path / "predictions.h5", "gpu")
    expected = "cpu" if name == "mean" else "meta"
    assert {tensor.device.type for model, mel in asked for tensor in (mel, *model.buffers(), *model.parameters())} == {
        expected
    }


@pytest.mark.parametrize("value", [1.01, -0.01, float("nan")])
def test_an_answer_outside_the_range_is_refused(value: float, parts: tuple[Items, Items], size: Size):
    valid = parts[1].all()
    model = models.find("mean")(16, 20, 3, size)
    model.mean = torch.full((3,), value)
    with pytest.raises(ValueError, match=r"Mean answers .* expected 0\.\.1"):
        answer(model, valid.mel, valid.values, 1)
