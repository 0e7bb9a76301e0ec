"""Synthetic presets combine training presets and avoid held-out ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flowsynth.core import hdf5
from flowsynth.data import augmentation, splits
from flowsynth.data.presets import identity
from flowsynth.synths import spec as synths

FREE = np.array([True] * 6 + [False] * 2)
CONTINUOUS = np.array([True] * 5 + [False] * 3)
NO_CATEGORY = np.zeros(8, dtype=bool)
NO_PRESETS = np.zeros((0, 8))


def presets(count: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).random((count, 8)).astype(np.float32)
    values[:, 5] = np.random.default_rng(seed).integers(0, 3, count) / 2  # a stepped parameter
    values[:, 6:] = 0.25
    return values


def draw(parents: np.ndarray, held_out: np.ndarray = NO_PRESETS, count: int = 400, seed: int = 1) -> np.ndarray:
    return augmentation.sample(parents, held_out, FREE, CONTINUOUS, NO_CATEGORY, count, seed)


def test_samples_are_distinct_new_and_in_range():
    parents = presets(50)
    drawn = draw(parents)
    assert drawn.shape == (400, 8)
    assert drawn.dtype == np.float32
    assert ((drawn >= 0) & (drawn <= 1)).all()
    names = {identity(row) for row in drawn.tolist()}
    assert len(names) == 400
    assert not names & {identity(row) for row in parents.tolist()}


def test_fixed_and_stepped_parameters_are_preserved():
    drawn = draw(presets(50))
    assert (drawn[:, 6:] == np.float32(0.25)).all()
    assert set(drawn[:, 5].tolist()) == {0.0, 0.5, 1.0}


def test_all_categories_come_from_the_preset_that_most_parameters_come_from():
    parents = presets(30)
    parents[:, 6:] = np.arange(60, dtype=np.float32).reshape(30, 2) / 60
    category = np.arange(8) >= 6
    children = augmentation._cross_and_jitter(parents, CONTINUOUS, category, 2000, np.random.default_rng(0))
    first = (children[:, None, 6:] == parents[None, :, 6:]).all(axis=2)
    assert (first.sum(axis=1) == 1).all()
    kept = np.abs(children - parents[first.argmax(axis=1)])[:, :6] < 6 * augmentation.JITTER
    assert kept.mean() > 1 - augmentation.CROSSOVER


def test_values_come_from_two_parents_up_to_jitter():
    parents = presets(30)
    drawn = draw(parents)
    exact = 0
    for row in drawn:
        gaps = np.abs(parents - row)  # presets x parameters
        within = gaps < 6 * augmentation.JITTER
        pairs = within[:, None] | within[None]
        assert pairs.all(axis=2).any()
        exact += bool(((gaps == 0)[:, None] | (gaps == 0)[None]).all(axis=2).any())
    assert 0.4 < exact / len(drawn) < 0.6  # presets without jitter


def test_crossover_share_is_as_configured(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(augmentation, "JITTERED", 0)
    rng = np.random.default_rng(0)
    parents = np.stack([np.zeros(8), np.ones(8)])
    drawn = augmentation._cross_and_jitter(parents, FREE, NO_CATEGORY, 20000, rng)
    mixed = drawn.mean(axis=1)
    mixed = mixed[(mixed > 0) & (mixed < 1)]
    minority = np.minimum(mixed, 1 - mixed)
    assert minority.mean() == pytest.approx(_expected_minority(), abs=0.01)


def _expected_minority() -> float:
    from math import comb

    chance = [comb(8, k) * augmentation.CROSSOVER**k * (1 - augmentation.CROSSOVER) ** (8 - k) for k in range(9)]
    weights = np.array(chance[1:8])
    return float((weights * np.minimum(np.arange(1, 8), 8 - np.arange(1, 8)) / 8).sum() / weights.sum())


def test_samples_are_no_near_duplicates_of_held_out_presets():
    parents = presets(20)
    unconstrained = draw(parents)
    held_out = unconstrained[::7] + np.float32(0.01) * FREE  # near some of the samples
    drawn = draw(parents, held_out)
    distance = np.abs(drawn[:, None, FREE] - held_out[None, :, FREE]).mean(axis=2)
    assert distance.min() > splits.SAME_PARAMETERS
    before = np.abs(unconstrained[:, None, FREE] - held_out[None, :, FREE]).mean(axis=2)
    assert before.min() < splits.SAME_PARAMETERS  # otherwise the test would prove nothing


def test_drop_near_duplicates_by_sound(tmp_path: Path):
    rng = np.random.default_rng(3)
    mel = rng.normal(size=(300, 8, 10)).astype(np.float32)
    held_out = mel[[7, 250]] + np.float32([[[0.04]], [[0.06]]])
    ids = [f"{row:03d}" for row in range(300)]
    with hdf5.writing(tmp_path / "all.h5", ids, rng.random((300, 2)), ("a", "b"), {"floor": 1}) as file:
        hdf5.add_items(file, "mel", (8, 10))[:] = mel
        hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = ["ok"] * 299 + ["silent"]
    assert augmentation.drop_near_duplicates(tmp_path / "all.h5", held_out, tmp_path / "kept.h5") == (299, 300)
    with hdf5.reading(tmp_path / "all.h5") as source, hdf5.reading(tmp_path / "kept.h5") as kept:
        rows = [row for row in range(300) if row != 7]
        assert hdf5.ids(kept).tolist() == [ids[row] for row in rows]
        assert hdf5.settings(kept)["floor"] == 1
        for name in ("values", "mel", "status"):
            assert np.array_equal(kept[name][:], source[name][:][rows])


def test_sampling_depends_on_the_seed_only():
    parents = presets(30)
    first = draw(parents)
    assert np.array_equal(first, draw(parents))
    assert not np.isin(draw(parents, seed=2)[:, 0], first[:, 0]).all()


def test_too_few_presets_raise():
    with pytest.raises(ValueError, match="1 presets"):
        draw(presets(1))
    with pytest.raises(ValueError, match="of 5 presets in 100 rounds"):
        draw(np.tile(presets(1), (3, 1)), held_out=presets(1), count=5)


def test_sample_for_fold_uses_the_training_set_only():
    synth, names = synths.dataset("amsynth16")
    rng = np.random.default_rng(4)
    values = np.tile(synth.base, (60, 1))
    columns = synth.columns(names)
    values[:, columns] = rng.random((60, len(names)))
    values[:40, columns[0]] = 0.25  # the training set
    values[40:, columns[0]] = 0.75
    table = pd.DataFrame(values, columns=list(synth.names)).assign(id=[f"{i:x}" for i in range(60)])
    parts = pd.DataFrame({"id": table["id"], "part": ["train"] * 40 + ["valid"] * 10 + ["test"] * 10})
    drawn = augmentation.sample_for_fold(table, parts, synth, names, 200, 5)
    assert drawn.shape == (200, len(synth.names))
    assert np.abs(drawn[:, columns[0]] - 0.25).max() < 6 * augmentation.JITTER
    others = [i for i in range(len(synth.names)) if i not in columns]
    assert (drawn[:, others] == synth.base.astype(np.float32)[others]).all()
