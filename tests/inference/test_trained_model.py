"""A trained model predicts presets of arrays, as the benchmark does, without the rest of a run."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from small import space, write_features

import flowsynth
from flowsynth.core import hdf5
from flowsynth.core.seeding import derive_seed
from flowsynth.data.dataset import Items
from flowsynth.data.features import DEFAULTS, Mel
from flowsynth.inference.predict import infer
from flowsynth.inference.trained_model import TrainedModel, load
from flowsynth.models.nn.networks import Size
from flowsynth.training.fit import fit
from flowsynth.training.plan import Plan

PLAN = Plan(epochs=1, batch_size=16, learning_rate=0.01, patience=0, threads=1, accelerator="cpu", precision="32-true")
FEATURES = {"sample_rate": 22050, **DEFAULTS, "n_mels": 16, "frames": 20}
MODELS = ["cnn", "npe_nsf", "flow_cond", "proxy", "nearest", "random"]  # of each kind
Train = Callable[[str], Path]


@pytest.fixture
def train(tmp_path: Path, size: Size) -> Train:
    ids = write_features(tmp_path / "features.h5", 60, 0, FEATURES | {"pitch": 60})

    def checkpoint(name: str) -> Path:
        parts = (Items([tmp_path / "features.h5"], part, ("a", "b", "c")) for part in (ids[:40], ids[40:]))
        outputs = (tmp_path / file for file in ("checkpoint.pt", "history.csv", "progress"))
        fit(name, space(3), *parts, size, PLAN, 5, *outputs)
        return tmp_path / "checkpoint.pt"

    return checkpoint


@pytest.fixture
def mel() -> np.ndarray:
    return np.random.default_rng(1).normal(-5, 1, (7, 16, 20)).astype(np.float32)


def test_importing_the_package_does_not_load_torch():
    code = "import sys, flowsynth; print({'torch', 'numpy'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


def test_load_is_an_attribute_of_the_package():
    assert flowsynth.load is load
    with pytest.raises(AttributeError, match="has no attribute 'loads'"):
        flowsynth.loads  # noqa: B018


@pytest.mark.slow
def test_a_loaded_model_describes_itself(train: Train):
    path = train("cnn")
    trained = load(str(path))
    assert trained.checkpoint == path
    assert trained.parameters == space(3)
    assert trained.names == ("a", "b", "c")
    assert trained.features == FEATURES
    assert trained.provenance["seed"] == 5
    assert not trained.model.training


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_presets_depend_on_sound_and_seed_alone(name: str, train: Train, mel: np.ndarray):
    trained = load(train(name))
    presets = trained.infer(mel, 3, seed=1)
    assert presets.shape == (7, 3, 3)
    assert presets.dtype == np.float32
    assert presets.min() >= 0
    assert presets.max() <= 1
    torch.rand(5)
    assert (trained.infer(mel[::-1].copy(), 3, seed=1)[::-1] == presets).all()
    assert (trained.infer(torch.from_numpy(mel[4:5]), 3, seed=1) == presets[4:5]).all()
    is_sampled = name not in ("cnn", "proxy", "nearest")
    assert (trained.infer(mel, 3, seed=2) != presets).any() == is_sampled


@pytest.mark.parametrize("name", ["npe_nsf", "proxy"])
def test_presets_are_those_of_the_benchmark(name: str, train: Train, tmp_path: Path):
    path = train(name)
    features = [tmp_path / "features.h5"]
    items = Items(features, ["0-41", "0-42"], ("a", "b", "c"))
    infer(path, items, 3, 9, tmp_path / "predictions.h5")
    expected = hdf5.read_items([tmp_path / "predictions.h5"], "estimates")
    for item, mel in zip(items.ids, items.all().mel, strict=True):
        assert (load(path).infer(mel[None], 3, derive_seed(9, "infer", item))[0] == expected[item]).all()


def test_inference_keeps_the_state_of_the_generator(train: Train, mel: np.ndarray):
    trained = load(train("npe_nsf"))
    state = torch.get_rng_state()
    trained.infer(mel, 2)
    assert torch.equal(torch.get_rng_state(), state)


def test_no_sounds_have_no_presets(train: Train, mel: np.ndarray):
    assert load(train("cnn")).infer(mel[:0], 2).shape == (0, 2, 3)


def test_a_model_is_loaded_to_a_device(train: Train):
    """Torch's meta device stands in for a GPU."""
    model = load(train("cnn"), "meta").model
    assert {tensor.device.type for tensor in (*model.parameters(), *model.buffers())} == {"meta"}


@pytest.mark.parametrize(
    ("change", "n", "message"),
    [
        (lambda mel: mel[:, :, :19], 1, r"shape \(7, 16, 19\), expected \(items, 16, 20\)"),
        (lambda mel: np.where(mel > -5, np.nan, mel), 1, "not finite"),
        (lambda mel: mel, 0, "n = 0, expected at least 1"),
    ],
)
def test_invalid_input_is_refused(train: Train, mel: np.ndarray, change: Callable, n: int, message: str):
    with pytest.raises(ValueError, match=message):
        load(train("mean")).infer(change(mel), n)


def test_the_oracle_cannot_predict_from_sounds(train: Train, mel: np.ndarray):
    with pytest.raises(TypeError, match="does not predict from sounds"):
        load(train("oracle")).infer(mel)


def test_spectrograms_are_those_of_the_training(train: Train):
    trained = load(train("mean"))
    audio = np.random.default_rng(0).normal(0, 0.1, 22050).astype(np.float32)
    settings = dict(FEATURES)
    mel = Mel(**settings)
    expected = mel.log(mel(torch.from_numpy(audio)[None]))[0].numpy()
    np.testing.assert_allclose(trained.log_mel(audio), expected, atol=1e-3)
    assert trained.infer(trained.log_mel(audio)[None]).shape == (1, 1, 3)


def test_unknown_spectrogram_settings_are_reported(train: Train):
    trained = load(train("mean"))
    unknown = TrainedModel(trained.checkpoint, trained.model, {}, trained.provenance)
    with pytest.raises(ValueError, match=r"checkpoint\.pt has no spectrogram settings"):
        unknown.log_mel  # noqa: B018
