"""Tests of the search with CMA-ES: it improves on its start, is deterministic, and resumes after an interruption."""

import json
import zlib
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch

from flowsynth.core import hdf5
from flowsynth.core.result_cache import ResultCache
from flowsynth.data.features import Mel
from flowsynth.inference import cma_es
from flowsynth.inference.cma_es import minimise, search
from flowsynth.inference.search_task import RenderContext, log_mel_extractor
from flowsynth.rendering.host import Note
from flowsynth.synths import spec as synths

NOTE = Note(22050, 512, 60, 100, 0.5, 1.0)
FEATURES = {"n_mels": 32, "n_fft": 1024, "hop_length": 1024, "fmin": 30, "fmax": 11000, "frames": 20, "floor": 1e-3}
SYNTH, NAMES = synths.dataset("amsynth16")
CONTEXT = RenderContext(SYNTH, NOTE, 20, FEATURES)


def bowl(values: np.ndarray) -> float:
    return float(np.abs(values - np.linspace(0, 1, len(values))).mean())


def test_minimise_stays_within_the_calls_and_the_cube():
    evaluated = []

    def loss(values: np.ndarray) -> float:
        evaluated.append(values)
        return bowl(values)

    start = np.full(5, 0.5, np.float32)
    best, least = minimise(loss, start, 200, 3)
    assert len(evaluated) == 200
    assert np.array_equal(evaluated[0], start)
    assert all(((values >= 0) & (values <= 1)).all() for values in evaluated)
    assert least == bowl(best) == min(map(bowl, evaluated)) < 0.3 * bowl(start)


def test_minimise_uses_its_seed_and_no_global_generator():
    start = np.array([1, 0.2, 0], np.float32)  # at the edges too
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    first, repeated, other = (minimise(bowl, start, 60, seed)[0] for seed in (1, 1, 2))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    assert np.array_equal(first, repeated)
    assert not np.array_equal(first, other)


def test_optimal_start_is_kept():
    start = np.array([0, 0.5, 1], np.float32)
    best, least = minimise(bowl, start, 60, 1)
    assert np.array_equal(best, start)
    assert least == 0


def test_log_mel_extractor_matches_the_features_of_the_networks():
    audio = np.random.default_rng(0).normal(scale=0.1, size=NOTE.samples).astype(np.float32)
    mel = Mel(NOTE.sample_rate, **FEATURES)
    expected = mel.log(mel(torch.from_numpy(audio)[None]))[0].numpy()
    assert np.abs(log_mel_extractor(NOTE.sample_rate, FEATURES)(audio) - expected).max() < 1e-4


def test_log_mel_extractor_equals_librosa_to_the_bit():
    audio = np.random.default_rng(0).normal(scale=0.1, size=NOTE.samples).astype(np.float32)
    arguments = {name: value for name, value in FEATURES.items() if name not in ("frames", "floor")}
    power = librosa.feature.melspectrogram(y=audio, sr=NOTE.sample_rate, **arguments)[:, : FEATURES["frames"]]
    assert np.array_equal(log_mel_extractor(NOTE.sample_rate, FEATURES)(audio), np.log(power + FEATURES["floor"]))


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    """Starts near the presets of two target sounds, the sounds, and their ids."""
    folder = tmp_path_factory.mktemp("search")
    rng = np.random.default_rng(5)
    base = SYNTH.base[SYNTH.columns(NAMES)]
    truth = np.clip(base + rng.uniform(-0.3, 0.3, (2, len(NAMES))), 0, 1).astype(np.float32)
    starts = np.clip(truth + rng.normal(scale=0.15, size=truth.shape), 0, 1).astype(np.float32)
    ids = ["one", "two"]
    render = CONTEXT.renderer(NAMES)
    with hdf5.writing(folder / "targets.h5", ids, np.zeros((2, 0)), (), {"sample_rate": NOTE.sample_rate}) as file:
        hdf5.add_items(file, "audio", (NOTE.samples,))[:] = [render(values) for values in truth]
    unknown = np.full_like(truth, np.nan)
    with hdf5.writing(folder / "starts.h5", ids, unknown, NAMES, {}) as file:
        hdf5.add_items(file, "estimates", (1, len(NAMES)))[:, 0] = starts
    return folder / "starts.h5", folder / "targets.h5", ids


def run(task: tuple[Path, Path, list[str]], path: Path, ids: list[str] | None = None, renders: int = 80) -> np.ndarray:
    starts, targets, all_ids = task
    search(CONTEXT, starts, [targets], ids or all_ids, renders, 1, path)
    with hdf5.reading(path) as file:
        assert hdf5.names(file) == NAMES
        assert np.isnan(file["values"][:]).all()
        return file["estimates"][:, 0]


def test_search_improves_on_its_start(task: tuple[Path, Path, list[str]], tmp_path: Path):
    estimates = run(task, tmp_path / "predictions.h5", ["one"])
    render, log_mel = CONTEXT.renderer(NAMES), log_mel_extractor(NOTE.sample_rate, FEATURES)
    with hdf5.reading(task[0]) as starts, hdf5.reading(task[1]) as targets:
        target = log_mel(targets["audio"][0])
        before, after = (
            np.abs(log_mel(render(values)) - target).mean() for values in (starts["estimates"][0, 0], estimates[0])
        )
        assert after < 0.8 * before
    assert not list(tmp_path.glob(".*"))


def test_interrupted_search_resumes_and_writes_the_same_file(
    task: tuple[Path, Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    expected = run(task, tmp_path / "uninterrupted.h5", renders=14)
    alone = run(task, tmp_path / "alone.h5", ["two"], renders=14)
    assert np.array_equal(alone[0], expected[1])  # independent of the other sounds
    calls, original = [], cma_es.minimise

    def interrupt_second_call(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(cma_es, "minimise", interrupt_second_call)
    with pytest.raises(KeyboardInterrupt):
        run(task, tmp_path / "interrupted.h5", renders=14)
    assert not (tmp_path / "interrupted.h5").exists()
    progress = tmp_path / ".interrupted.h5.progress.jsonl"
    _, *lines = progress.read_text().splitlines()
    assert [json.loads(line.partition(" ")[2])[0].split()[0] for line in lines] == ["one"]
    progress.write_text(progress.read_text() + '0123abcd ["two 7e')  # killed while writing
    assert np.array_equal(run(task, tmp_path / "interrupted.h5", renders=14), expected)
    assert len(calls) == 3
    assert (tmp_path / "interrupted.h5").read_bytes() == (tmp_path / "uninterrupted.h5").read_bytes()


def test_cached_results_of_other_settings_are_ignored(
    task: tuple[Path, Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cache = ResultCache(tmp_path / "a.h5", [], [], renders=7)
    monkeypatch.setattr(ResultCache, "remove", lambda self: None)
    run(task, tmp_path / "b.h5", ["two"], renders=14)
    _, line = (tmp_path / ".b.h5.progress.jsonl").read_text().splitlines()
    key, values = json.loads(line.partition(" ")[2])
    false = json.dumps([key, [0.0] * len(values)])
    cache.path.write_text(f"{cache.path.read_text()}{zlib.crc32(false.encode()):08x} {false}\n")
    run(task, tmp_path / "a.h5", ["two"], renders=14)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_missing_target_is_refused(task: tuple[Path, Path, list[str]], tmp_path: Path):
    with pytest.raises(ValueError, match="the first of them three"):
        run(task, tmp_path / "a.h5", ["one", "three"])
