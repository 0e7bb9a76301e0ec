"""A job that a full disk ends leaves no file behind, and ends in the same files once there is space."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from full_disk import file_size_limit, free_space

from flowsynth.core import hdf5
from flowsynth.core.disk_space import folder_size, full_disk_as_one_error, require_space
from flowsynth.core.locks import exclusive_log
from flowsynth.core.provenance import write_csv
from flowsynth.core.result_cache import ResultCache
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.synths.parameter_space import ParameterSpace
from flowsynth.training import checkpoints


def write_items(path: Path, chunk: int = 50_000) -> None:
    """Write names and audio in turns, as rendering does; the last names and chunks are written when the file is closed."""
    with hdf5.writing(path, [str(number) for number in range(9)], np.zeros((9, 2)), "ab", {}) as file:
        audio, status = hdf5.add_items(file, "audio", (chunk,)), hdf5.add_items(file, "status", (), hdf5.TEXT)
        for row in range(9):
            audio[row], status[row] = np.random.default_rng(row).random(chunk), "ok"


def write_checkpoint(path: Path) -> None:
    torch.manual_seed(0)
    size = Size(layers=2, channels=4, kernel=3, mlp_layers=2, units=256, dropout=0.1)
    checkpoints.save(models.find("mlp")(64, 80, ParameterSpace.continuous("ab"), size), "mlp", {}, {}, path)


def write_table(path: Path) -> None:
    write_csv(pd.DataFrame({"value": np.arange(100_000)}), path)


def write_search(path: Path) -> None:
    cache = ResultCache(path, [], [Path(__file__)])
    results = [cache.get(str(number), b"", lambda number=number: np.full(16, number)) for number in range(1000)]
    write_table(path)
    assert [result[0] for result in results] == list(range(1000))
    cache.remove()


@pytest.mark.parametrize("limit", [10_000, 150_000, 400_000])
@pytest.mark.parametrize("write", [write_items, write_checkpoint, write_table, write_search])
def test_a_full_disk_loses_nothing(tmp_path: Path, write: Callable[[Path], None], limit: int):
    write(tmp_path / "expected" / "file")
    path = tmp_path / "full" / "file"
    with file_size_limit(limit), pytest.raises(OSError, match="no space"):
        write(path)
    assert not path.exists()
    assert not list(path.parent.glob(".*.tmp"))
    write(path)
    names = sorted(file.name for file in path.parent.iterdir())
    assert names == sorted(file.name for file in (tmp_path / "expected").iterdir())
    for name in names:
        assert (path.parent / name).read_bytes() == (tmp_path / "expected" / name).read_bytes()


def test_hdf5_survives_a_full_disk_at_any_byte(tmp_path: Path):
    write_items(tmp_path / "items.h5", chunk=1000)
    size = (tmp_path / "items.h5").stat().st_size
    for limit in range(0, size, size // 40):
        with file_size_limit(limit), pytest.raises(OSError, match=r"full\.h5: no space"):
            write_items(tmp_path / "full.h5", chunk=1000)
        assert [path.name for path in tmp_path.glob("*full*")] == []


def test_a_full_disk_truncates_a_log_silently(tmp_path: Path, capsys: pytest.CaptureFixture):
    with file_size_limit(100), exclusive_log(tmp_path / "log", pytest.fail) as file:
        handler = logging.StreamHandler(file)
        for _ in range(100):
            handler.emit(logging.LogRecord("name", logging.INFO, "path", 0, "message", None, None))
    assert (tmp_path / "log").read_text().startswith(f"PID {os.getpid()} on ")
    assert (tmp_path / "log").stat().st_size == 100
    assert capsys.readouterr().err == ""


def test_exact_free_space_is_enough(tmp_path: Path):
    with free_space(4000):
        require_space(tmp_path / "not" / "there", 4000)
        with pytest.raises(OSError):
            require_space(tmp_path, 4001)


def test_the_size_of_a_folder_ignores_vanishing_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Other jobs of a data set may rename their temporary files at any time."""
    assert folder_size(tmp_path / "missing") == 0
    for name in ("0.h5", ".1.h5.01234567.tmp"):
        (tmp_path / name).write_bytes(bytes(1000))
    assert folder_size(tmp_path) == 2000
    stale_listing = list(tmp_path.iterdir())
    (tmp_path / ".1.h5.01234567.tmp").unlink()
    monkeypatch.setattr(Path, "iterdir", lambda self: iter(stale_listing))
    assert folder_size(tmp_path) == 1000


def test_other_errors_are_not_replaced(tmp_path: Path):
    with pytest.raises(OSError, match="broken disk"), full_disk_as_one_error(tmp_path):
        raise OSError("broken disk")
