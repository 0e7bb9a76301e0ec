"""Search finds what sounds nearer than where it starts, the same each time, and goes on where it was stopped."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from flowsynth.core import hdf5
from flowsynth.core.result_cache import ResultCache
from flowsynth.data.features import Mel
from flowsynth.inference import cma_es as module
from flowsynth.inference.cma_es import ear, minimise, search
from flowsynth.rendering.host import Note
from flowsynth.synths import spec as synths

NOTE = Note(22050, 512, 60, 100, 0.5, 1.0)
SETTINGS = {"n_mels": 32, "n_fft": 1024, "hop_length": 1024, "fmin": 30, "fmax": 11000, "frames": 20, "floor": 1e-3}
SYNTH, NAMES = synths.dataset("amsynth16")


def bowl(values: np.ndarray) -> float:
    return float(np.abs(values - np.linspace(0, 1, len(values))).mean())


def test_a_bowl_is_descended_within_the_calls_and_the_cube():
    asked = []

    def loss(values: np.ndarray) -> float:
        asked.append(values)
        return bowl(values)

    start = np.full(5, 0.5, np.float32)
    best, least = minimise(loss, start, 200, 3)
    assert len(asked) == 200
    assert np.array_equal(asked[0], start)
    assert all(((values >= 0) & (values <= 1)).all() for values in asked)
    assert least == bowl(best) == min(map(bowl, asked)) < 0.3 * bowl(start)


def test_the_seed_decides_and_the_global_one_is_left_alone():
    start = np.array([1, 0.2, 0], np.float32)  # at the edges too
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    first, again, other = (minimise(bowl, start, 60, seed)[0] for seed in (1, 1, 2))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_start_that_is_perfect_is_kept():
    start = np.array([0, 0.5, 1], np.float32)
    best, least = minimise(bowl, start, 60, 1)
    assert np.array_equal(best, start)
    assert least == 0


def test_search_hears_what_the_networks_hear():
    audio = np.random.default_rng(0).normal(scale=0.1, size=NOTE.samples).astype(np.float32)
    mel = Mel(NOTE.sample_rate, **SETTINGS)
    expected = mel.log(mel(torch.from_numpy(audio)[None]))[0].numpy()
    assert np.abs(ear(NOTE.sample_rate, SETTINGS)(audio) - expected).max() < 1e-4


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    """Sounds of known presets, to be found from presets beside them."""
    folder = tmp_path_factory.mktemp("search")
    rng = np.random.default_rng(5)
    base = SYNTH.base[SYNTH.columns(NAMES)]
    truth = np.clip(base + rng.uniform(-0.3, 0.3, (2, len(NAMES))), 0, 1).astype(np.float32)
    starts = np.clip(truth + rng.normal(scale=0.15, size=truth.shape), 0, 1).astype(np.float32)
    ids = ["one", "two"]
    play = module.player(SYNTH, NOTE, NAMES, 20)
    with hdf5.writing(folder / "sounds.h5", ids, np.zeros((2, 0)), (), {"sample_rate": NOTE.sample_rate}) as file:
        hdf5.add_items(file, "audio", (NOTE.samples,))[:] = [play(values) for values in truth]
    unknown = np.full_like(truth, np.nan)
    with hdf5.writing(folder / "starts.h5", ids, unknown, NAMES, {}) as file:
        hdf5.add_items(file, "estimates", (1, len(NAMES)))[:, 0] = starts
    return folder / "starts.h5", folder / "sounds.h5", ids


def run(task: tuple[Path, Path, list[str]], path: Path, ids: list[str] | None = None, renders: int = 80) -> np.ndarray:
    starts, targets, every = task
    search(SYNTH, NOTE, starts, [targets], ids or every, SETTINGS, renders, 1, 20, path)
    with hdf5.reading(path) as file:
        assert hdf5.names(file) == NAMES
        assert np.isnan(file["values"][:]).all()
        return file["estimates"][:, 0]


def test_a_preset_is_found_that_sounds_nearer_than_the_start(task: tuple[Path, Path, list[str]], tmp_path: Path):
    found = run(task, tmp_path / "predictions.h5", ["one"])
    play, hear = module.player(SYNTH, NOTE, NAMES, 20), ear(NOTE.sample_rate, SETTINGS)
    with hdf5.reading(task[0]) as starts, hdf5.reading(task[1]) as targets:
        goal = hear(targets["audio"][0])
        before, after = (np.abs(hear(play(v)) - goal).mean() for v in (starts["estimates"][0, 0], found[0]))
        assert after < 0.8 * before
    assert not list(tmp_path.glob(".*"))


def test_a_search_that_was_stopped_goes_on_and_ends_the_same(
    task: tuple[Path, Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = run(task, tmp_path / "whole.h5", renders=14)
    alone = run(task, tmp_path / "alone.h5", ["two"], renders=14)
    assert np.array_equal(alone[0], whole[1])  # each by itself, whatever the others are
    calls, genuine = [], module.minimise

    def killed(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return genuine(*arguments)

    monkeypatch.setattr(module, "minimise", killed)
    with pytest.raises(KeyboardInterrupt):
        run(task, tmp_path / "stopped.h5", renders=14)
    assert not (tmp_path / "stopped.h5").exists()
    progress = tmp_path / ".stopped.h5.progress.jsonl"
    _, *lines = progress.read_text().splitlines()
    assert [json.loads(line)[0].split()[0] for line in lines] == ["one"]
    progress.write_text(progress.read_text() + '["two 7e')  # it was killed while it wrote
    assert np.array_equal(run(task, tmp_path / "stopped.h5", renders=14), whole)
    assert len(calls) == 3
    assert (tmp_path / "stopped.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_what_other_settings_have_found_is_not_taken(
    task: tuple[Path, Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    kept = ResultCache(tmp_path / "a.h5", [], [], renders=7)
    monkeypatch.setattr(ResultCache, "remove", lambda self: None)
    run(task, tmp_path / "b.h5", ["two"], renders=14)
    _, line = (tmp_path / ".b.h5.progress.jsonl").read_text().splitlines()
    key, values = json.loads(line)
    kept.path.write_text(kept.path.read_text() + json.dumps([key, [0.0] * len(values)]) + "\n")
    run(task, tmp_path / "a.h5", ["two"], renders=14)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_a_sound_that_is_nowhere_is_refused(task: tuple[Path, Path, list[str]], tmp_path: Path):
    with pytest.raises(ValueError, match="the first of them three"):
        run(task, tmp_path / "a.h5", ["one", "three"])
