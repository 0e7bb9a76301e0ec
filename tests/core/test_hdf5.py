"""Item files: round trip, atomic writing, and detection of truncated or modified files."""

import time
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest
from waiting import wait_until

from flowsynth.core import hdf5, provenance

IDS = ["0a", "1b", "ü/0"]
VALUES = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
AUDIO = np.random.default_rng(1).standard_normal((3, 500)).astype(np.float32)


def write(path: Path, ids: Sequence[str] = IDS, audio: np.ndarray = AUDIO) -> Path:
    with hdf5.writing(path, ids, VALUES[: len(ids)], ("x", "y"), {"seed": 3}) as file:
        hdf5.add_items(file, "audio", audio.shape[1:])[:] = audio[: len(ids)]
        hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = ["ok"] * len(ids)
    return path


def file_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_round_trip(tmp_path: Path):
    path = write(tmp_path / "deep" / "items.h5")
    with hdf5.reading(path) as file:
        assert hdf5.ids(file).tolist() == IDS
        assert hdf5.names(file) == ("x", "y")
        assert hdf5.settings(file) == provenance.maker(seed=3)
        assert file["values"].dtype == np.float32
        np.testing.assert_array_equal(file["values"][:], VALUES.astype(np.float32))
        np.testing.assert_array_equal(file["audio"][:], AUDIO)
        assert file["status"].asstr()[:].tolist() == ["ok"] * 3
    assert file_names(path.parent) == ["items.h5"]


def test_ids_and_names_may_be_iterators(tmp_path: Path):
    with hdf5.writing(tmp_path / "items.h5", iter(IDS), VALUES, iter(["x", "y"]), {}) as file:
        hdf5.add_items(file, "mel", (2,))
    with hdf5.reading(tmp_path / "items.h5") as file:
        assert hdf5.ids(file).tolist() == IDS
        assert hdf5.names(file) == ("x", "y")


def test_one_chunk_per_item(tmp_path: Path):
    with hdf5.reading(write(tmp_path / "items.h5")) as file:
        assert file["audio"].chunks == (1, 500)
        assert file["audio"].dtype == np.float32


def test_round_trip_without_items(tmp_path: Path):
    with hdf5.reading(write(tmp_path / "items.h5", ids=[])) as file:
        assert hdf5.ids(file).tolist() == []
        assert file["values"].shape == (0, 2)
        assert file["audio"].shape == (0, 500)


def test_files_are_bit_identical(tmp_path: Path):
    write(tmp_path / "a" / "items.h5")
    start = int(time.time())
    wait_until(
        lambda: int(time.time()) > start, "the second has changed, the resolution of dates that HDF5 would write"
    )
    write(tmp_path / "b" / "items.h5")
    assert (tmp_path / "a" / "items.h5").read_bytes() == (tmp_path / "b" / "items.h5").read_bytes()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_failed_write_leaves_no_files(tmp_path: Path, error: type[BaseException]):
    with pytest.raises(error), hdf5.writing(tmp_path / "items.h5", IDS, VALUES, ("x", "y"), {}) as file:
        hdf5.add_items(file, "audio", (500,))
        raise error
    assert file_names(tmp_path) == []


def test_failed_write_keeps_the_old_file(tmp_path: Path):
    path = write(tmp_path / "items.h5")
    old = path.read_bytes()
    with pytest.raises(ValueError), hdf5.writing(path, IDS[:1], VALUES[:1], ("x", "y"), {}):
        raise ValueError
    assert path.read_bytes() == old
    assert file_names(tmp_path) == ["items.h5"]


def test_file_appears_only_when_complete(tmp_path: Path):
    path = tmp_path / "items.h5"
    with hdf5.writing(path, IDS, VALUES, ("x", "y"), {}):
        assert not path.exists()
    assert path.exists()


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_truncated_file_is_rejected(tmp_path: Path, share: float):
    path = write(tmp_path / "items.h5")
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * share))
    with pytest.raises(ValueError, match=r"items\.h5 is truncated"), hdf5.reading(path):
        pass


def test_other_files_are_rejected(tmp_path: Path):
    path = tmp_path / "notes.h5"
    path.write_text("hello")
    with pytest.raises(ValueError, match=r"notes\.h5"), hdf5.reading(path):
        pass
    with h5py.File(path, "w") as file:
        file["x"] = [1, 2]
    with pytest.raises(ValueError, match=r"notes\.h5 is not an item file"), hdf5.reading(path):
        pass


def test_missing_file_raises_file_not_found(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"items\.h5"), hdf5.reading(tmp_path / "items.h5"):
        pass


def test_error_of_the_system_is_not_called_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*arguments, **options):
        raise OSError(37, "No locks available")

    path = write(tmp_path / "items.h5")
    monkeypatch.setattr(hdf5.h5py, "File", refuse)
    with pytest.raises(OSError, match=r"items\.h5 can't be opened: .*No locks available"), hdf5.reading(path):
        pass


def test_errors_inside_the_block_propagate(tmp_path: Path):
    path = write(tmp_path / "items.h5")
    with pytest.raises(OSError, match="broken disk"), hdf5.reading(path):
        raise OSError("broken disk")
