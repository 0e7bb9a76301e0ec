"""A checkpoint restores the model, its parameters and its settings; other files are refused with a reason."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.io import wavfile
from small import space

from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.synths import spec as synths
from flowsynth.synths.parameter_space import ParameterSpace
from flowsynth.training.checkpoints import load, read_maker, save

SPACE = ParameterSpace(("cutoff", "waveform", "level"), ("continuous", "stepped", "continuous"), (None, 4, None))
FEATURES = {"sample_rate": 22050, "n_mels": 16, "floor": 1e-3}


@pytest.fixture
def checkpoint(size: Size, tmp_path: Path) -> Path:
    torch.manual_seed(0)
    model = models.find("vae")(16, 20, SPACE, size)
    save(model, "vae", FEATURES, {"seed": 3}, tmp_path / "checkpoint.pt")
    return tmp_path / "checkpoint.pt"


def edit(**changes: Any) -> Callable[[Path], None]:
    """Replace values of the stored dictionary."""
    return lambda path: torch.save(torch.load(path) | changes, path)


def remove(key: str) -> Callable[[Path], None]:
    """Remove a key of the stored dictionary."""
    return lambda path: torch.save({k: v for k, v in torch.load(path).items() if k != key}, path)


def sound() -> bytes:
    file = io.BytesIO()
    wavfile.write(file, 22050, np.zeros(1000, np.float32))
    return file.getvalue()


def test_a_checkpoint_restores_the_description(checkpoint: Path):
    model, features, maker, _ = load(checkpoint)
    assert model.parameter_space == SPACE
    assert features == FEATURES
    assert maker["seed"] == 3
    assert read_maker(checkpoint) == maker


@pytest.mark.parametrize("name", ["cnn", "flow_reg", "proxy"])
@pytest.mark.parametrize(
    "dataset", [f"{synth}{size}" for synth in synths.available() for size in synths.load(synth).sets]
)
def test_models_of_every_data_set_are_within_the_limits(name: str, dataset: str, size: Size, tmp_path: Path):
    synth, names = synths.dataset(dataset)
    model = models.find(name)(16, 20, synth.space(names), size)
    save(model, name, {}, {}, tmp_path / "checkpoint.pt")
    loaded = load(tmp_path / "checkpoint.pt").model
    assert loaded.parameter_space == synth.space(names)
    assert all(torch.equal(a, b) for a, b in zip(loaded.buffers(), model.buffers(), strict=True))


def test_a_checkpoint_with_names_only_is_continuous(checkpoint: Path, caplog: pytest.LogCaptureFixture):
    """The format before kinds of parameters were stored."""
    content = torch.load(checkpoint)
    weights = content["state"]
    content["arguments"]["parameters"] = 3
    torch.save({k: v for k, v in content.items() if k != "features"} | {"names": ["a", "b", "c"]}, checkpoint)
    model, features, _, _ = load(checkpoint)
    assert model.parameter_space == space(3)
    assert features == {}
    assert all(torch.equal(weights[key], value) for key, value in model.state_dict().items())
    assert "no kinds of parameters" in caplog.text


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-2000]),
        lambda path: path.write_bytes(path.read_bytes()[:100]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"hello"),
        lambda path: path.write_bytes(sound()),
        *(lambda path, seed=seed: path.write_bytes(np.random.default_rng(seed).bytes(999)) for seed in range(8)),
        lambda path: torch.save(torch.zeros(3), path),
        lambda path: torch.save({"state": {}}, path),
        lambda path: torch.save({"maker": os.system}, path),  # code is never executed
    ],
)
def test_another_file_is_not_a_checkpoint(checkpoint: Path, damage: Callable[[Path], None]):
    damage(checkpoint)
    with pytest.raises(ValueError, match=rf"{checkpoint} is (damaged or )?not a checkpoint"):
        load(checkpoint)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (edit(model="ae"), "RuntimeError: .*Unexpected key"),
        (edit(arguments={}), "KeyError: 'parameters'"),
        (edit(arguments={"parameters": {"names": ("a",)}}), "TypeError: .*missing"),
        (remove("state"), "KeyError: 'state'"),
    ],
)
def test_a_checkpoint_of_another_version_names_it(checkpoint: Path, change: Callable[[Path], None], message: str):
    edit(maker={"flowsynth": "0.0.7", "commit": "abc"})(checkpoint)
    change(checkpoint)
    with pytest.raises(ValueError, match=rf"(?s)version of the model \(flowsynth 0\.0\.7, commit abc\).*{message}"):
        load(checkpoint)


def test_an_unknown_model_names_the_file_and_the_models(checkpoint: Path):
    edit(model="other")(checkpoint)
    with pytest.raises(ValueError, match=rf"{checkpoint}: .*unknown model 'other', expected .*'cnn'.* Install"):
        load(checkpoint)


def test_a_missing_checkpoint_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"none\.pt"):
        load(tmp_path / "none.pt")
