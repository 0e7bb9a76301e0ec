"""A model is told what the synthesizer made of its answers; each sound is by itself, and a stop changes nothing."""

from pathlib import Path

import numpy as np
import pytest
import torch

from flowsynth.core import hdf5
from flowsynth.data.dataset import Batch
from flowsynth.inference import surrogate_search as module
from flowsynth.inference.cma_es import ear, player
from flowsynth.inference.surrogate_search import correct
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render_shard
from flowsynth.synths import spec as synths
from flowsynth.training import checkpoints

NOTE = Note(22050, 512, 60, 100, 0.5, 1.0)
SETTINGS = {"n_mels": 32, "n_fft": 1024, "hop_length": 1024, "fmin": 30, "fmax": 11000, "frames": 20, "floor": 1e-3}
SIZE = Size(layers=1, channels=2, kernel=3, mlp_layers=2, units=8, dropout=0.0)
SYNTH, NAMES = synths.dataset("amsynth16")
IDS = ["a", "b", "c"]


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sounds."""
    presets = np.random.default_rng(4).uniform(0.3, 0.7, (3, len(NAMES))).astype(np.float32)
    path = tmp_path_factory.mktemp("heard") / "audio.h5"
    render_shard(SYNTH, NOTE, IDS, SYNTH.expand(presets, NAMES), path, 20)
    return path


def checkpoint(name: str, path: Path, seed: int) -> Path:
    torch.manual_seed(seed)
    model = models.find(name)(32, 20, len(NAMES), SIZE)
    model.calibrate(Batch(torch.rand(9, 32, 20), torch.rand(9, len(NAMES))))
    checkpoints.save(model, name, NAMES, {}, path)
    return path


def run(audio: Path, folder: Path, ids: list[str], name: str = "a", model: str = "proxy", seed: int = 1) -> np.ndarray:
    """What six renderings make of two first answers, which depend on nothing but the sound's name."""
    given, path = folder / "candidates.h5", folder / f"{name}.h5"
    first = np.stack([np.random.default_rng(ord(item)).uniform(0, 1, (2, len(NAMES))) for item in ids])
    with hdf5.writing(given, ids, np.zeros((len(ids), len(NAMES))), NAMES, {}) as file:
        hdf5.add_items(file, "estimates", first.shape[1:])[:] = first
    made = checkpoint(model, folder / "checkpoint.pt", seed)
    correct(SYNTH, NOTE, made, given, [audio], SETTINGS, 6, 20, path)
    with hdf5.reading(path) as file:
        assert hdf5.ids(file).tolist() == ids
        assert hdf5.names(file) == NAMES
        return file["estimates"][:, 0]


def test_the_answer_is_at_least_as_close_as_the_first_ones_and_each_sound_is_by_itself(audio: Path, tmp_path: Path):
    found = run(audio, tmp_path, IDS)
    assert np.array_equal(run(audio, tmp_path, ["c", "a"], "b"), found[[2, 0]])
    play, hear = player(SYNTH, NOTE, NAMES, 20), ear(NOTE.sample_rate, SETTINGS)
    with hdf5.reading(audio) as file:
        goal = hear(file["audio"][1])
    first = np.random.default_rng(ord("b")).uniform(0, 1, (2, len(NAMES))).astype(np.float32)
    assert np.abs(hear(play(found[1])) - goal).mean() <= min(np.abs(hear(play(v)) - goal).mean() for v in first)
    assert not list(tmp_path.glob(".*"))


def test_what_was_stopped_goes_on_and_ends_the_same(audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run(audio, tmp_path, IDS[:2], "whole")
    calls, genuine = [], module.follow

    def killed(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return genuine(*arguments)

    monkeypatch.setattr(module, "follow", killed)
    with pytest.raises(KeyboardInterrupt):
        run(audio, tmp_path, IDS[:2], "stopped")
    assert not (tmp_path / "stopped.h5").exists()
    run(audio, tmp_path, IDS[:2], "stopped")
    assert len(calls) == 3
    assert (tmp_path / "stopped.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_what_another_training_has_found_is_not_taken(audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module.ResultCache, "remove", lambda self: None)
    run(audio, tmp_path, IDS[:1])
    calls, genuine = [], module.follow
    monkeypatch.setattr(module, "follow", lambda *given: calls.append(given) or genuine(*given))
    run(audio, tmp_path, IDS[:1])
    assert not calls
    run(audio, tmp_path, IDS[:1], seed=2)  # other weights, and the same first answers
    assert len(calls) == 1


@pytest.mark.parametrize("told", [torch.full((len(NAMES),), 1.1), torch.full((len(NAMES),), torch.nan), torch.zeros(3)])
def test_what_is_no_preset_is_refused(told: torch.Tensor):
    model = models.find("proxy")(32, 20, len(NAMES), SIZE)
    model.propose_next = lambda *given: told
    first = np.zeros((1, len(NAMES)), np.float32)
    with pytest.raises(ValueError, match=r"Proxy answers \[.*expected 16 values in 0\.\.1"):
        module.follow(model, np.zeros((32, 20), np.float32), first, lambda v: np.ones((32, 20), np.float32), 2)


def test_what_stands_for_no_synthesizer_and_sounds_that_are_nowhere_are_refused(audio: Path, tmp_path: Path):
    with pytest.raises(ValueError, match=r"checkpoint\.pt: CNN can't be corrected"):
        run(audio, tmp_path, IDS, model="cnn")
    with pytest.raises(ValueError, match="1 items, the first of them d, are in none of"):
        run(audio, tmp_path, ["a", "d"])
    assert not (tmp_path / "a.h5").exists()
