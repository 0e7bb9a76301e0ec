"""Files of items: what is written is what is read, and nothing that is half, cut or changed is taken for whole."""

import hashlib
import time
from collections import namedtuple
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest

from flowsynth.core import hdf5, provenance

IDS = ["0a", "1b", "ü/0"]
VALUES = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
SOUND = np.random.default_rng(1).standard_normal((3, 500)).astype(np.float32)
Usage = namedtuple("Usage", ["total", "used", "free"])


def write(path: Path, ids: Sequence[str] = IDS, sound: np.ndarray = SOUND) -> Path:
    with hdf5.writing(path, ids, VALUES[: len(ids)], ("x", "y"), {"seed": 3}) as file:
        hdf5.add_items(file, "audio", sound.shape[1:])[:] = sound[: len(ids)]
        hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = ["ok"] * len(ids)
    return path


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_read(tmp_path: Path):
    path = write(tmp_path / "deep" / "items.h5")
    with hdf5.reading(path) as file:
        assert hdf5.ids(file).tolist() == IDS
        assert hdf5.names(file) == ("x", "y")
        assert hdf5.settings(file) == provenance.maker(seed=3)
        assert file["values"].dtype == np.float32
        np.testing.assert_array_equal(file["values"][:], VALUES.astype(np.float32))
        np.testing.assert_array_equal(file["audio"][:], SOUND)
        assert file["status"].asstr()[:].tolist() == ["ok"] * 3
    hdf5.check(path)
    assert names_in(path.parent) == ["items.h5", "items.h5.sha256"]


def test_ids_and_names_may_be_of_any_kind_of_sequence(tmp_path: Path):
    with hdf5.writing(tmp_path / "items.h5", iter(IDS), VALUES, iter(["x", "y"]), {}) as file:
        hdf5.add_items(file, "mel", (2,))
    with hdf5.reading(tmp_path / "items.h5") as file:
        assert hdf5.ids(file).tolist() == IDS
        assert hdf5.names(file) == ("x", "y")


def test_an_item_is_a_chunk(tmp_path: Path):
    with hdf5.reading(write(tmp_path / "items.h5")) as file:
        assert file["audio"].chunks == (1, 500)
        assert file["audio"].dtype == np.float32


def test_a_file_of_no_items_is_written_and_read(tmp_path: Path):
    with hdf5.reading(write(tmp_path / "items.h5", ids=[])) as file:
        assert hdf5.ids(file).tolist() == []
        assert file["values"].shape == (0, 2)
        assert file["audio"].shape == (0, 500)


def test_a_file_written_twice_is_the_same_to_the_byte(tmp_path: Path):
    write(tmp_path / "a" / "items.h5")
    time.sleep(1.1)  # the resolution of the dates that HDF5 would write
    write(tmp_path / "b" / "items.h5")
    for name in ("items.h5", "items.h5.sha256"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_checksum_is_one_that_sha256sum_checks(tmp_path: Path):
    path = write(tmp_path / "items.h5")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (tmp_path / "items.h5.sha256").read_text() == f"{digest}  items.h5\n"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_inside_the_block_leaves_nothing(tmp_path: Path, error: type[BaseException]):
    with pytest.raises(error), hdf5.writing(tmp_path / "items.h5", IDS, VALUES, ("x", "y"), {}) as file:
        hdf5.add_items(file, "audio", (500,))
        raise error
    assert names_in(tmp_path) == []


def test_a_failure_inside_the_block_leaves_the_old_file_whole(tmp_path: Path):
    path = write(tmp_path / "items.h5")
    old = path.read_bytes()
    with pytest.raises(ValueError), hdf5.writing(path, IDS[:1], VALUES[:1], ("x", "y"), {}):
        raise ValueError
    assert path.read_bytes() == old
    assert names_in(tmp_path) == ["items.h5", "items.h5.sha256"]
    hdf5.check(path)


def test_a_file_is_not_seen_before_it_is_whole(tmp_path: Path):
    path = tmp_path / "items.h5"
    with hdf5.writing(path, IDS, VALUES, ("x", "y"), {}):
        assert not path.exists()
        assert not hdf5.checksum_path(path).exists()
    assert path.exists()


def test_a_file_that_is_written_again_passes_its_check(tmp_path: Path):
    write(tmp_path / "items.h5")
    path = write(tmp_path / "items.h5", sound=SOUND + 1)
    hdf5.check(path)
    with hdf5.reading(path) as file:
        np.testing.assert_array_equal(file["audio"][:], SOUND + 1)


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_named_and_what_to_do(tmp_path: Path, share: float):
    path = write(tmp_path / "items.h5")
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * share))
    message = r"items\.h5 is truncated or not HDF5 .*: delete it and run again"
    with pytest.raises(ValueError, match=message), hdf5.reading(path):
        pass
    with pytest.raises(ValueError, match=r"items\.h5 is damaged"):
        hdf5.check(path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path):
    path = tmp_path / "notes.h5"
    path.write_text("hello")
    with pytest.raises(ValueError, match=r"notes\.h5 is truncated or not HDF5"), hdf5.reading(path):
        pass
    with h5py.File(path, "w") as file:
        file["x"] = [1, 2]
    with pytest.raises(ValueError, match=r"notes\.h5 is not a file of items"), hdf5.reading(path):
        pass


def test_a_missing_file_is_missing_and_not_truncated(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"items\.h5"), hdf5.reading(tmp_path / "items.h5"):
        pass


def test_nobody_is_told_to_delete_a_file_that_he_may_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied", str(arguments[0]))

    path = write(tmp_path / "items.h5")
    monkeypatch.setattr(hdf5.h5py, "File", refuse)
    with pytest.raises(PermissionError, match=r"items\.h5"), hdf5.reading(path):
        pass


def test_an_error_while_reading_is_passed_on_as_it_is(tmp_path: Path):
    path = write(tmp_path / "items.h5")
    with pytest.raises(OSError, match="disk on fire"), hdf5.reading(path):
        raise OSError("disk on fire")


@pytest.mark.parametrize("place", [0, 0.3, 0.6, 1])
def test_a_changed_byte_fails_the_check(tmp_path: Path, place: float):
    path = write(tmp_path / "items.h5")
    hdf5.check(path)
    content = bytearray(path.read_bytes())
    content[int(place * (len(content) - 1))] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"items\.h5 is damaged: sha256 is [0-9a-f]{64}, .*Delete it and run again"):
        hdf5.check(path)


def have_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(hdf5.shutil, "disk_usage", lambda folder: Usage(2 * free, free, free))


def test_a_disk_that_is_too_small_is_told_with_what_where_and_what_to_do(tmp_path: Path, monkeypatch):
    have_free(monkeypatch, 5 * 2**20)
    folder = tmp_path / "audio"
    with pytest.raises(OSError) as error:
        hdf5.require_space(folder, items=10, samples=2**18)  # 10 MiB
    message = str(error.value)
    assert "no space for the audio of 10 presets" in message
    assert str(folder) in message
    assert "10 MiB needed, 5 MiB free" in message
    assert "smaller number of presets" in message


def test_a_disk_that_just_fits_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    have_free(monkeypatch, 4000)
    hdf5.require_space(tmp_path, items=10, samples=100)
    with pytest.raises(OSError):
        hdf5.require_space(tmp_path, items=10, samples=101)


def test_what_is_there_already_needs_no_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    have_free(monkeypatch, 3000)
    with pytest.raises(OSError):
        hdf5.require_space(tmp_path, items=10, samples=100)
    (tmp_path / "0.h5").write_bytes(bytes(1000))
    hdf5.require_space(tmp_path, items=10, samples=100)


def test_a_file_that_vanishes_meanwhile_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Another job of the same data set renames its temporary file at any moment."""
    (tmp_path / ".0.h5.1.tmp").write_bytes(bytes(1000))
    listed = list(tmp_path.iterdir())
    (tmp_path / ".0.h5.1.tmp").unlink()
    monkeypatch.setattr(Path, "iterdir", lambda self: iter(listed))
    have_free(monkeypatch, 4000)
    hdf5.require_space(tmp_path, items=10, samples=100)
