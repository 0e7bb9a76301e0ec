"""Tests of best-of-N: the candidate with the sound closest to the target is selected."""

from pathlib import Path

import numpy as np
import pytest

from flowsynth.core import hdf5
from flowsynth.inference.best_of_n import select_best
from flowsynth.inference.search_task import RenderContext
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render_shard
from flowsynth.synths import spec as synths

NOTE = Note(22050, 512, 60, 100, 0.5, 1.0)
FEATURES = {"n_mels": 32, "n_fft": 1024, "hop_length": 1024, "fmin": 30, "fmax": 11000, "frames": 20, "floor": 1e-3}
SYNTH, NAMES = synths.dataset("amsynth16")
CONTEXT = RenderContext(SYNTH, NOTE, 20, FEATURES)
IDS = ["a", "b", "c"]


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """Three target sounds and their presets."""
    presets = np.random.default_rng(4).uniform(0.3, 0.7, (3, len(NAMES))).astype(np.float32)
    path = tmp_path_factory.mktemp("targets") / "audio.h5"
    render_shard(SYNTH, NOTE, IDS, SYNTH.expand(presets, NAMES), path, 20)
    return path, presets


def write_candidates(path: Path, estimates: np.ndarray, truth: np.ndarray) -> Path:
    with hdf5.writing(path, IDS, truth, NAMES, {}) as file:
        hdf5.add_items(file, "estimates", estimates.shape[1:])[:] = estimates
    return path


def test_closest_candidate_is_selected_without_the_ground_truth(targets, tmp_path: Path):
    audio, presets = targets
    estimates = np.random.default_rng(5).uniform(0, 1, (3, 4, len(NAMES))).astype(np.float32)
    for row, sample in enumerate((2, 0, 3)):
        estimates[row, sample] = presets[row]
    selected = []
    for number, truth in enumerate((presets, 1 - presets)):
        candidates = write_candidates(tmp_path / f"{number}.h5", estimates, truth)
        distances = select_best(CONTEXT, candidates, [audio], tmp_path / f"best{number}.h5")
        assert distances.shape == (3, 4)
        with hdf5.reading(tmp_path / f"best{number}.h5") as file:
            assert hdf5.ids(file).tolist() == IDS
            assert np.array_equal(file["values"][:], truth)
            assert file["chosen"][:].tolist() == [2, 0, 3]
            assert np.array_equal(file["distances"][:], distances)
            selected.append(file["estimates"][:])
    assert np.array_equal(selected[0], selected[1])
    assert np.array_equal(selected[0][:, 0], presets)
    assert (distances.min(axis=1) < 1e-4).all()
    assert (np.sort(distances, axis=1)[:, 1] > 0.01).all()


def test_missing_target_is_refused(targets, tmp_path: Path):
    _, presets = targets
    candidates = write_candidates(tmp_path / "c.h5", np.stack([presets, 1 - presets], axis=1), presets)
    with hdf5.writing(tmp_path / "other.h5", ["a"], presets[:1], NAMES, {}) as file:
        hdf5.add_items(file, "audio", (NOTE.samples,))[:] = 0
    with pytest.raises(ValueError, match="2 items, the first of them b"):
        select_best(CONTEXT, candidates, [tmp_path / "other.h5"], tmp_path / "best.h5")
    assert not (tmp_path / "best.h5").exists()


def test_equal_candidates_are_refused(targets, tmp_path: Path):
    audio, presets = targets
    candidates = write_candidates(tmp_path / "c.h5", np.repeat(presets[:, None], 4, axis=1), presets)
    with pytest.raises(ValueError, match=r"c\.h5: all 4 predictions"):
        select_best(CONTEXT, candidates, [audio], tmp_path / "best.h5")
    assert not (tmp_path / "best.h5").exists()
