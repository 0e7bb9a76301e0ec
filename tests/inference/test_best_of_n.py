"""Of several answers the one is kept that sounds closest to what was heard, and nothing else counts."""

from pathlib import Path

import numpy as np
import pytest

from flowsynth.core import hdf5
from flowsynth.inference.best_of_n import best
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render_shard
from flowsynth.synths import spec as synths

NOTE = Note(22050, 512, 60, 100, 0.5, 1.0)
SETTINGS = {"n_mels": 32, "n_fft": 1024, "hop_length": 1024, "fmin": 30, "fmax": 11000, "frames": 20, "floor": 1e-3}
SYNTH, NAMES = synths.dataset("amsynth16")
IDS = ["a", "b", "c"]


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """Three sounds, and the presets they were made with."""
    presets = np.random.default_rng(4).uniform(0.3, 0.7, (3, len(NAMES))).astype(np.float32)
    path = tmp_path_factory.mktemp("heard") / "audio.h5"
    render_shard(SYNTH, NOTE, IDS, SYNTH.expand(presets, NAMES), path, 20)
    return path, presets


def candidates(path: Path, estimates: np.ndarray, truth: np.ndarray) -> Path:
    with hdf5.writing(path, IDS, truth, NAMES, {}) as file:
        hdf5.add_items(file, "estimates", estimates.shape[1:])[:] = estimates
    return path


def test_the_closest_is_kept_wherever_it_stands_and_the_truth_is_not_looked_at(heard, tmp_path: Path):
    audio, presets = heard
    estimates = np.random.default_rng(5).uniform(0, 1, (3, 4, len(NAMES))).astype(np.float32)
    for row, place in enumerate((2, 0, 3)):
        estimates[row, place] = presets[row]
    found = []
    for number, truth in enumerate((presets, 1 - presets)):
        given = candidates(tmp_path / f"{number}.h5", estimates, truth)
        distances = best(SYNTH, NOTE, given, [audio], SETTINGS, 20, tmp_path / f"best{number}.h5")
        assert distances.shape == (3, 4)
        with hdf5.reading(tmp_path / f"best{number}.h5") as file:
            assert hdf5.ids(file).tolist() == IDS
            assert np.array_equal(file["values"][:], truth)
            assert file["chosen"][:].tolist() == [2, 0, 3]
            assert np.array_equal(file["distances"][:], distances)
            found.append(file["estimates"][:])
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0][:, 0], presets)
    assert (distances.min(axis=1) < 1e-4).all()
    assert (np.sort(distances, axis=1)[:, 1] > 0.01).all()


def test_a_sound_that_is_nowhere_is_told(heard, tmp_path: Path):
    _, presets = heard
    given = candidates(tmp_path / "c.h5", np.stack([presets, 1 - presets], axis=1), presets)
    with hdf5.writing(tmp_path / "other.h5", ["a"], presets[:1], NAMES, {}) as file:
        hdf5.add_items(file, "audio", (NOTE.samples,))[:] = 0
    with pytest.raises(ValueError, match="2 items, the first of them b, are in none of"):
        best(SYNTH, NOTE, given, [tmp_path / "other.h5"], SETTINGS, 20, tmp_path / "best.h5")
    assert not (tmp_path / "best.h5").exists()


def test_a_model_with_one_answer_is_refused(heard, tmp_path: Path):
    audio, presets = heard
    given = candidates(tmp_path / "c.h5", np.repeat(presets[:, None], 4, axis=1), presets)
    with pytest.raises(ValueError, match=r"c\.h5: all 4 answers to each sound are the same"):
        best(SYNTH, NOTE, given, [audio], SETTINGS, 20, tmp_path / "best.h5")
    assert not (tmp_path / "best.h5").exists()
