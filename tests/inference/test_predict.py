"""Tests of prediction: each item is predicted independently, with its own seed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from small import space

from flowsynth.core import hdf5
from flowsynth.data.dataset import Items
from flowsynth.inference.predict import infer, predict
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.training import checkpoints
from flowsynth.training.accelerator import select_device
from flowsynth.training.fit import fit
from flowsynth.training.plan import Plan

PLAN = Plan(epochs=1, batch_size=16, learning_rate=0.01, patience=0, threads=1, accelerator="auto", precision="32-true")


def predictions(name: str, folder: Path, parts: tuple[Items, Items], size: Size, items: Items, seed: int = 1) -> dict:
    """Predict with a model that is in the folder or else trained for an epoch."""
    path = folder / "checkpoint.pt"
    if not path.exists():
        fit(name, space(3), *parts, size, PLAN, 5, path, folder / "history.csv", folder / "progress")
    infer(path, items, 3, seed, folder / "predictions.h5", "auto")
    with hdf5.reading(folder / "predictions.h5") as file:
        assert file["estimates"].shape == (len(items), 3, 3)
        return dict(zip(hdf5.ids(file), file["estimates"][:].tolist(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", models.names())
def test_prediction_depends_on_its_item_alone(name: str, tmp_path: Path, parts: tuple[Items, Items], size: Size):
    """Untrained networks predict like trained ones, item by item."""
    train, valid = parts
    torch.manual_seed(0)
    model = models.find(name)(16, 20, space(3), size)
    model.calibrate(train.all())
    if isinstance(model, models.Control):
        model.fit(train.all())
    checkpoints.save(model, name, {}, {}, tmp_path / "checkpoint.pt")
    subset = Items(valid.paths, valid.ids[:6][::-1], valid.names)
    of_all = predictions(name, tmp_path, parts, size, valid)
    of_subset = predictions(name, tmp_path, parts, size, subset)
    assert len(of_all) == 20
    assert all(of_subset[item] == of_all[item] for item in subset.ids)


def test_seed_determines_sampled_predictions(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    first = predictions("random", tmp_path, parts, size, parts[1], seed=1)
    assert predictions("random", tmp_path, parts, size, parts[1], seed=1) == first
    assert predictions("random", tmp_path, parts, size, parts[1], seed=2) != first


def test_model_of_other_parameters_is_refused(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    predictions("mean", tmp_path, parts, size, parts[1])
    other = Items(parts[1].paths, parts[1].ids, ("a", "c"))
    with pytest.raises(ValueError, match=r"infers \['a', 'b', 'c'\], expected \['a', 'c'\]"):
        infer(tmp_path / "checkpoint.pt", other, 1, 1, tmp_path / "predictions.h5")


def test_select_device(monkeypatch: pytest.MonkeyPatch):
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: gpu)
    assert [select_device(accelerator) for accelerator in ("cpu", "gpu", "auto")] == [cpu, gpu, gpu]
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: None)
    assert [select_device(accelerator) for accelerator in ("cpu", "auto")] == [cpu, cpu]
    with pytest.raises(ValueError, match="accelerator 'gpu'"):
        select_device("gpu")
    with pytest.raises(ValueError, match="accelerator 'tpu'"):
        select_device("tpu")


@pytest.mark.parametrize("name", ["mean", "cnn"])
def test_only_trained_models_use_the_accelerator(
    name: str, tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    """Torch's meta device stands in for a GPU."""
    predictions(name, tmp_path, parts, size, parts[1])
    calls = []
    monkeypatch.setattr("flowsynth.inference.predict.select_device", lambda accelerator: torch.device("meta"))
    monkeypatch.setattr(
        "flowsynth.inference.predict.predict", lambda model, mel, *_: calls.append((model, mel)) or np.zeros((1, 1, 3))
    )
    infer(tmp_path / "checkpoint.pt", parts[1], 1, 1, tmp_path / "predictions.h5", "gpu")
    expected = "cpu" if name == "mean" else "meta"
    assert {tensor.device.type for model, mel in calls for tensor in (mel, *model.buffers(), *model.parameters())} == {
        expected
    }


@pytest.mark.parametrize("value", [1.01, -0.01, float("nan")])
def test_prediction_out_of_range_is_refused(value: float, parts: tuple[Items, Items], size: Size):
    valid = parts[1].all()
    model = models.find("mean")(16, 20, space(3), size)
    model.mean = torch.full((3,), value)
    with pytest.raises(ValueError, match=r"Mean predicts .* expected 0\.\.1"):
        predict(model, valid.mel, valid.values, 1)


def test_the_error_of_a_prediction_names_file_and_item(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    predictions("mean", tmp_path, parts, size, parts[1])
    monkeypatch.setattr(models.find("mean"), "infer", lambda self, mel, n: torch.full((n, len(mel), 3), torch.nan))
    with pytest.raises(ValueError, match=rf"again\.h5: {parts[1].ids[0]}: Mean predicts values that are not finite"):
        infer(tmp_path / "checkpoint.pt", parts[1], 1, 1, tmp_path / "again.h5")
    assert not (tmp_path / "again.h5").exists()
