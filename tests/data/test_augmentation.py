"""Drawn presets are made of those of the training part and stay away from all others."""

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
NOBODY = np.zeros((0, 8))


def presets(count: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).random((count, 8)).astype(np.float32)
    values[:, 5] = np.random.default_rng(seed).integers(0, 3, count) / 2  # a stepped parameter
    values[:, 6:] = 0.25
    return values


def draw(parents: np.ndarray, held_out: np.ndarray = NOBODY, count: int = 400, seed: int = 1) -> np.ndarray:
    return augmentation.sample(parents, held_out, FREE, CONTINUOUS, count, seed)


def test_drawn_presets_are_distinct_new_and_in_range():
    parents = presets(50)
    drawn = draw(parents)
    assert drawn.shape == (400, 8)
    assert drawn.dtype == np.float32
    assert ((drawn >= 0) & (drawn <= 1)).all()
    names = {identity(row) for row in drawn.tolist()}
    assert len(names) == 400
    assert not names & {identity(row) for row in parents.tolist()}


def test_what_is_not_inferred_stays_and_steps_stay_steps():
    drawn = draw(presets(50))
    assert (drawn[:, 6:] == np.float32(0.25)).all()
    assert set(drawn[:, 5].tolist()) == {0.0, 0.5, 1.0}


def test_every_value_comes_from_one_of_two_presets_moved_by_little():
    parents = presets(30)
    drawn = draw(parents)
    exact = 0
    for row in drawn:
        gaps = np.abs(parents - row)  # presets x parameters
        within = gaps < 6 * augmentation.JITTER
        pairs = within[:, None] | within[None]
        assert pairs.all(axis=2).any()
        exact += bool(((gaps == 0)[:, None] | (gaps == 0)[None]).all(axis=2).any())
    assert 0.4 < exact / len(drawn) < 0.6  # those that were not moved


def test_the_share_of_the_second_preset_is_as_stated(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(augmentation, "JITTERED", 0)
    rng = np.random.default_rng(0)
    parents = np.stack([np.zeros(8), np.ones(8)])
    drawn = augmentation._draw(parents, FREE, 20000, rng)
    mixed = drawn.mean(axis=1)
    mixed = mixed[(mixed > 0) & (mixed < 1)]
    minority = np.minimum(mixed, 1 - mixed)
    assert minority.mean() == pytest.approx(_expected_minority(), abs=0.01)


def _expected_minority() -> float:
    from math import comb

    chance = [comb(8, k) * augmentation.CROSSOVER**k * (1 - augmentation.CROSSOVER) ** (8 - k) for k in range(9)]
    weights = np.array(chance[1:8])
    return float((weights * np.minimum(np.arange(1, 8), 8 - np.arange(1, 8)) / 8).sum() / weights.sum())


def test_no_drawn_preset_is_a_near_duplicate_of_a_held_out_one():
    parents = presets(20)
    free = draw(parents)
    held_out = free[::7] + np.float32(0.01) * FREE  # near some that would be drawn
    drawn = draw(parents, held_out)
    distance = np.abs(drawn[:, None, FREE] - held_out[None, :, FREE]).mean(axis=2)
    assert distance.min() > splits.SAME_PARAMETERS
    before = np.abs(free[:, None, FREE] - held_out[None, :, FREE]).mean(axis=2)
    assert before.min() < splits.SAME_PARAMETERS  # else this shows nothing


def test_what_sounds_like_a_held_out_preset_is_left_out(tmp_path: Path):
    rng = np.random.default_rng(3)
    mel = rng.normal(size=(300, 8, 10)).astype(np.float32)
    held_out = mel[[7, 250]] + np.float32([[[0.04]], [[0.06]]])
    ids = [f"{row:03d}" for row in range(300)]
    with hdf5.writing(tmp_path / "all.h5", ids, rng.random((300, 2)), ("a", "b"), {"floor": 1}) as file:
        hdf5.add_items(file, "mel", (8, 10))[:] = mel
        hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = ["ok"] * 299 + ["silent"]
    assert augmentation.keep_apart(tmp_path / "all.h5", held_out, tmp_path / "kept.h5") == (299, 300)
    with hdf5.reading(tmp_path / "all.h5") as every, hdf5.reading(tmp_path / "kept.h5") as kept:
        rows = [row for row in range(300) if row != 7]
        assert hdf5.ids(kept).tolist() == [ids[row] for row in rows]
        assert hdf5.settings(kept)["floor"] == 1
        for name in ("values", "mel", "status"):
            assert np.array_equal(kept[name][:], every[name][:][rows])
    hdf5.check(tmp_path / "kept.h5")


def test_the_same_seed_draws_the_same_and_another_seed_others():
    parents = presets(30)
    first = draw(parents)
    assert np.array_equal(first, draw(parents))
    assert not np.isin(draw(parents, seed=2)[:, 0], first[:, 0]).all()


def test_too_few_presets_are_refused():
    with pytest.raises(ValueError, match="1 presets to draw from, expected at least 2"):
        draw(presets(1))
    with pytest.raises(ValueError, match=r"of 5 presets drawn in 100 rounds.*Ask for fewer \(config: sampled\)"):
        draw(np.tile(presets(1), (3, 1)), held_out=presets(1), count=5)


def test_the_presets_of_a_fold_are_drawn_from_its_training_part_alone():
    synth, names = synths.dataset("amsynth16")
    rng = np.random.default_rng(4)
    values = np.tile(synth.base, (60, 1))
    columns = synth.columns(names)
    values[:, columns] = rng.random((60, len(names)))
    values[:40, columns[0]] = 0.25  # of the training part
    values[40:, columns[0]] = 0.75
    table = pd.DataFrame(values, columns=list(synth.names)).assign(id=[f"{i:x}" for i in range(60)])
    parts = pd.DataFrame({"id": table["id"], "part": ["train"] * 40 + ["valid"] * 10 + ["test"] * 10})
    drawn = augmentation.sample_for(table, parts, synth, names, 200, 5)
    assert drawn.shape == (200, len(synth.names))
    assert np.abs(drawn[:, columns[0]] - 0.25).max() < 6 * augmentation.JITTER
    others = [i for i in range(len(synth.names)) if i not in columns]
    assert (drawn[:, others] == synth.base.astype(np.float32)[others]).all()
