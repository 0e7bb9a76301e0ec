"""Items are read from several files in id order, streamed or cached."""

import pickle
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from flowsynth.core import hdf5
from flowsynth.data import dataset

NAMES = ("a", "b", "c")
SHAPE = (4, 6)
STATUS = ("ok", "silent", "clipped", "failed", "ok")


def mel_of(name: str) -> np.ndarray:
    """Unique spectrogram of an item."""
    return np.random.default_rng(int(name, 16)).random(SHAPE, dtype=np.float32)


def values_of(name: str) -> np.ndarray:
    return np.random.default_rng(int(name, 16) + 1000).random(len(NAMES), dtype=np.float32)


def write(path: Path, ids: list[str], names: tuple[str, ...] = NAMES) -> Path:
    columns = [NAMES.index(name) for name in names]
    values = np.array([values_of(name)[columns] for name in ids])
    with hdf5.writing(path, ids, values, names, {}) as file:
        hdf5.add_items(file, "mel", SHAPE)[:] = np.array([mel_of(name) for name in ids])
        hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = STATUS[: len(ids)]
    return path


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return [write(tmp_path / "0.h5", ["00", "0a", "0b", "0c", "0d"]), write(tmp_path / "1.h5", ["10", "1e3", "12"])]


def assert_items(batch: dataset.Batch, ids: list[str], columns: list[int]) -> None:
    np.testing.assert_array_equal(batch.mel.numpy(), [mel_of(name) for name in ids])
    np.testing.assert_array_equal(batch.values.numpy(), [values_of(name)[columns] for name in ids])


def test_items_are_read_from_all_files_in_id_order(paths):
    ids = ["12", "00", "1e3", "0d", "0a"]
    items = dataset.Items(paths, ids, NAMES)
    assert len(items) == 5
    assert items.shape == SHAPE
    assert_items(items.all(), ids, [0, 1, 2])


def test_parameters_are_read_in_the_order_of_the_names(paths):
    ids = ["0b", "10"]
    assert_items(dataset.Items(paths, ids, ("c", "a")).all(), ids, [2, 0])


def test_files_may_differ_in_column_order(paths, tmp_path: Path):
    other = write(tmp_path / "2.h5", ["20", "21"], names=("c", "b", "a"))
    ids = ["20", "0b"]
    assert_items(dataset.Items([*paths, other], ids, ("a", "b")).all(), ids, [0, 1])


def test_an_item_is_a_spectrogram_and_values_in_float32(paths):
    mel, values = dataset.Items(paths, ["1e3"], NAMES)[0]
    np.testing.assert_array_equal(mel, mel_of("1e3"))
    np.testing.assert_array_equal(values, values_of("1e3"))
    assert mel.dtype == values.dtype == np.float32


def test_missing_id_raises_with_id_and_files(paths):
    with pytest.raises(KeyError) as error:
        dataset.Items(paths, ["00", "ff", "fe"], NAMES)
    message = error.value.args[0]
    assert "2 items" in message
    assert "ff" in message
    assert all(str(path) in message for path in paths)


def test_missing_parameter_raises(paths):
    with pytest.raises(ValueError, match="volume"):
        dataset.Items(paths, ["00"], ("a", "volume"))


def test_truncated_file_raises(paths):
    paths[1].write_bytes(paths[1].read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"1\.h5"):
        dataset.Items(paths, ["00"], NAMES)


def test_items_can_be_pickled_after_reading(paths):
    items = dataset.Items(paths, ["0a", "10"], NAMES)
    items.all()
    assert_items(pickle.loads(pickle.dumps(items)).all(), ["0a", "10"], [0, 1, 2])
    assert_items(items.all(), ["0a", "10"], [0, 1, 2])


def test_batches_from_files_and_from_the_cache_are_equal(paths):
    ids = ["12", "00", "1e3", "0d", "0a"]
    items = dataset.Items(paths, ids, NAMES)
    for _ in range(2):
        assert_items(items.__getitems__([3, 0]), ["0d", "12"], [0, 1, 2])
        items.all()


def test_usable_ids_exclude_silent_and_failed_items(paths):
    assert dataset.usable_ids(paths) == ["00", "0b", "0d", "10", "12"]
    assert dataset.usable_ids(paths[::-1]) == ["10", "12", "00", "0b", "0d"]


@pytest.fixture
def split(tmp_path: Path) -> Path:
    rows = [(0, "0d", "train"), (0, "1e3", "test"), (0, "00", "train"), (1, "0d", "test"), (1, "10", "valid")]
    path = tmp_path / "split.csv"
    pd.DataFrame(rows, columns=["fold", "id", "part"]).assign(group=0).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("fold", "name", "ids"),
    [(0, "train", ["0d", "00"]), (0, "test", ["1e3"]), (1, "test", ["0d"]), (1, "valid", ["10"])],
)
def test_part_selects_the_items_of_its_fold(split: Path, paths, fold: int, name: str, ids: list[str]):
    items = dataset.part(split, fold, name, paths, ("b",))
    assert items.ids == ids
    assert_items(items.all(), ids, [1])


def test_ids_that_look_like_numbers_stay_text(paths, tmp_path: Path):
    rows = [(0, "00", "train"), (0, "1e3", "train"), (0, "10", "test")]
    pd.DataFrame(rows, columns=["fold", "id", "part"]).to_csv(tmp_path / "split.csv", index=False)
    assert dataset.part(tmp_path / "split.csv", 0, "train", paths, NAMES).ids == ["00", "1e3"]


@pytest.mark.parametrize(("fold", "name"), [(0, "valid"), (2, "train"), (0, "tset")])
def test_empty_part_raises(split: Path, paths, fold: int, name: str):
    with pytest.raises(ValueError, match=rf"split\.csv has no {name} part in fold {fold}"):
        dataset.part(split, fold, name, paths, NAMES)


@pytest.fixture
def many(tmp_path: Path) -> tuple[list[Path], list[str]]:
    """Two files of 150 and 90 items whose values are their positions, and the ids of three quarters of them."""
    ids = [f"{number:x}" for number in range(240)]
    paths = []
    for path, part in ((tmp_path / "a.h5", ids[:150]), (tmp_path / "b.h5", ids[150:])):
        values = np.array([[int(name, 16), 0, 0] for name in part], dtype=np.float32)
        with hdf5.writing(path, part, values, NAMES, {}) as file:
            hdf5.add_items(file, "mel", SHAPE)[:] = values[:, :1, None]
            hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = ["ok"] * len(part)
        paths.append(path)
    return paths, [name for number, name in enumerate(ids) if number % 4]


def draw_order(items: dataset.Items, seed: int) -> list[int]:
    return items.order(torch.Generator().manual_seed(seed))


def test_streamed_items_are_complete_and_in_random_order(many):
    paths, ids = many
    items = dataset.Items(paths, ids, NAMES, window=128)
    assert len(items) == 180 > items.window
    order = draw_order(items, 1)
    assert sorted(order) == list(range(180))
    assert order != draw_order(items, 2) != sorted(order)
    assert order == draw_order(dataset.Items(paths, ids, NAMES, window=128), 1)
    items_in_memory = dataset.Items(paths, ids, NAMES).all()
    for start in range(0, 180, 7):
        rows = order[start : start + 7]
        batch = items.__getitems__(rows)
        assert torch.equal(batch.mel, items_in_memory.mel[rows])
        assert torch.equal(batch.values, items_in_memory.values[rows])


def test_memory_use_is_limited_by_the_window(many, monkeypatch: pytest.MonkeyPatch):
    paths, ids = many
    monkeypatch.setattr(dataset, "BLOCK", 8)
    items = dataset.Items(paths, ids, NAMES, window=40)
    order, reads = draw_order(items, 3), []
    read = items._read
    monkeypatch.setattr(items, "_read", lambda rows: (reads.append(len(rows)), read(rows))[1])
    for start in range(0, 180, 8):
        items.__getitems__(order[start : start + 8])
        assert sum(len(block.mel) for block in items._blocks.values()) <= 40
    assert sum(reads) == 180  # each block once an epoch
    assert items._cache is None
    assert len(items.head().mel) == 40


def test_an_epoch_is_shuffled_within_the_window(many, monkeypatch: pytest.MonkeyPatch):
    """Neighbours in a file are about as far apart in an epoch as in a full shuffle of the window."""
    paths, ids = many
    monkeypatch.setattr(dataset, "BLOCK", 8)
    items = dataset.Items(paths, ids, NAMES, window=80)
    gaps = {"streamed": [], "shuffled": []}
    for seed in range(50):
        order = np.argsort(draw_order(items, seed))
        gaps["streamed"].append(np.abs(np.diff(order)).mean())
        gaps["shuffled"].append(np.abs(np.diff(np.random.default_rng(seed).permutation(80))).mean())
    assert 0.9 < np.mean(gaps["streamed"]) / np.mean(gaps["shuffled"]) < 1.5


def test_order_is_a_full_shuffle_if_the_items_fit_in_memory(many):
    paths, ids = many
    order = dataset.Items(paths, ids, NAMES, window=180).order(torch.Generator().manual_seed(5))
    assert order == torch.randperm(180, generator=torch.Generator().manual_seed(5)).tolist()


def test_fingerprint_depends_on_ids_names_files_and_window(many):
    paths, ids = many
    first = dataset.Items(paths, ids, NAMES).fingerprint()
    assert first == dataset.Items(paths, ids, NAMES).fingerprint()
    others = [
        dataset.Items(paths, ids[1:], NAMES),
        dataset.Items(paths, ids, NAMES[:2]),
        dataset.Items(paths, ids, NAMES, window=64),
    ]
    assert first not in {other.fingerprint() for other in others}
    with h5py.File(paths[1], "r+") as file:
        file["mel"][0, 0, 0] += 1
    assert dataset.Items(paths, ids, NAMES).fingerprint() != first


def test_part_appends_usable_sampled_presets(split: Path, paths, tmp_path: Path):
    sampled = write(tmp_path / "sampled.h5", ["a0", "a1", "a2"])  # ok, silent, clipped
    items = dataset.part(split, 0, "train", paths, NAMES, [sampled])
    assert items.ids == ["0d", "00", "a0", "a2"]
    assert_items(items.all(), items.ids, [0, 1, 2])
