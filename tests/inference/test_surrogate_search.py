"""Tests of surrogate-guided refinement: it improves on its candidates and resumes after an interruption."""

from pathlib import Path

import numpy as np
import pytest
import torch

from flowsynth.core import hdf5
from flowsynth.data.dataset import Batch
from flowsynth.inference import surrogate_search
from flowsynth.inference.search_task import RenderContext, log_mel_extractor
from flowsynth.inference.surrogate_search import correct
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render_shard
from flowsynth.synths import spec as synths
from flowsynth.training import checkpoints

NOTE = Note(22050, 512, 60, 100, 0.5, 1.0)
FEATURES = {"n_mels": 32, "n_fft": 1024, "hop_length": 1024, "fmin": 30, "fmax": 11000, "frames": 20, "floor": 1e-3}
SIZE = Size(layers=1, channels=2, kernel=3, mlp_layers=2, units=8, dropout=0.0)
SYNTH, NAMES = synths.dataset("amsynth16")
CONTEXT = RenderContext(SYNTH, NOTE, 20, FEATURES)
IDS = ["a", "b", "c"]


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three target sounds."""
    presets = np.random.default_rng(4).uniform(0.3, 0.7, (3, len(NAMES))).astype(np.float32)
    path = tmp_path_factory.mktemp("targets") / "audio.h5"
    render_shard(SYNTH, NOTE, IDS, SYNTH.expand(presets, NAMES), path, 20)
    return path


def checkpoint(name: str, path: Path, seed: int) -> Path:
    torch.manual_seed(seed)
    model = models.find(name)(32, 20, SYNTH.space(NAMES), SIZE)
    model.calibrate(Batch(torch.rand(9, 32, 20), torch.rand(9, len(NAMES))))
    checkpoints.save(model, name, {}, {}, path)
    return path


def run(audio: Path, folder: Path, ids: list[str], name: str = "a", model: str = "proxy", seed: int = 1) -> np.ndarray:
    """Refine two candidates per sound, which depend on its id alone, with six renderings."""
    candidates, path = folder / "candidates.h5", folder / f"{name}.h5"
    estimates = np.stack([np.random.default_rng(ord(item)).uniform(0, 1, (2, len(NAMES))) for item in ids])
    with hdf5.writing(candidates, ids, np.zeros((len(ids), len(NAMES))), NAMES, {}) as file:
        hdf5.add_items(file, "estimates", estimates.shape[1:])[:] = estimates
    correct(CONTEXT, checkpoint(model, folder / "checkpoint.pt", seed), candidates, [audio], 6, path)
    with hdf5.reading(path) as file:
        assert hdf5.ids(file).tolist() == ids
        assert hdf5.names(file) == NAMES
        return file["estimates"][:, 0]


@pytest.mark.slow
def test_refinement_is_no_worse_than_the_candidates(audio: Path, tmp_path: Path):
    estimates = run(audio, tmp_path, IDS)
    assert np.array_equal(run(audio, tmp_path, ["c", "a"], "b"), estimates[[2, 0]])  # independent of the other sounds
    render, log_mel = CONTEXT.renderer(NAMES), log_mel_extractor(NOTE.sample_rate, FEATURES)
    with hdf5.reading(audio) as file:
        target = log_mel(file["audio"][1])
    candidates = np.random.default_rng(ord("b")).uniform(0, 1, (2, len(NAMES))).astype(np.float32)
    refined, *unrefined = (np.abs(log_mel(render(v)) - target).mean() for v in (estimates[1], *candidates))
    assert refined <= min(unrefined)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
def test_interrupted_refinement_resumes_and_writes_the_same_file(
    audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    run(audio, tmp_path, IDS[:2], "uninterrupted")
    calls, original = [], surrogate_search.refine

    def interrupt_second_call(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(surrogate_search, "refine", interrupt_second_call)
    with pytest.raises(KeyboardInterrupt):
        run(audio, tmp_path, IDS[:2], "interrupted")
    assert not (tmp_path / "interrupted.h5").exists()
    run(audio, tmp_path, IDS[:2], "interrupted")
    assert len(calls) == 3
    assert (tmp_path / "interrupted.h5").read_bytes() == (tmp_path / "uninterrupted.h5").read_bytes()


def test_cached_results_of_other_weights_are_ignored(audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(surrogate_search.ResultCache, "remove", lambda self: None)
    run(audio, tmp_path, IDS[:1])
    calls, original = [], surrogate_search.refine
    monkeypatch.setattr(surrogate_search, "refine", lambda *inputs: calls.append(inputs) or original(*inputs))
    run(audio, tmp_path, IDS[:1])
    assert not calls
    run(audio, tmp_path, IDS[:1], seed=2)  # other weights, same candidates
    assert len(calls) == 1


@pytest.mark.parametrize(
    "proposal", [torch.full((len(NAMES),), 1.1), torch.full((len(NAMES),), torch.nan), torch.zeros(3)]
)
def test_invalid_proposal_is_refused(proposal: torch.Tensor):
    model = models.find("proxy")(32, 20, SYNTH.space(NAMES), SIZE)
    model.propose_next = lambda *inputs: proposal
    candidates, target = np.zeros((1, len(NAMES)), np.float32), np.zeros((32, 20), np.float32)
    with pytest.raises(ValueError, match=r"Proxy proposes \[.*expected 16 values in 0\.\.1"):
        surrogate_search.refine(model, target, candidates, lambda values: np.ones((32, 20), np.float32), 2)


def test_other_models_and_missing_targets_are_refused(audio: Path, tmp_path: Path):
    with pytest.raises(ValueError, match=r"checkpoint\.pt: CNN is not a surrogate"):
        run(audio, tmp_path, IDS, model="cnn")
    with pytest.raises(ValueError, match="1 items, the first of them d"):
        run(audio, tmp_path, ["a", "d"])
    assert not (tmp_path / "a.h5").exists()
