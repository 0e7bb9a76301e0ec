"""Results of finished items are kept; damaged ones are computed again."""

from pathlib import Path

import numpy as np
import pytest

from flowsynth.core.result_cache import ResultCache

RESULTS = {"a": [0.125, 0.5], "b": [0.75, 0.25]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An output file whose job was interrupted after the last item."""
    read(tmp_path / "out.h5")
    return tmp_path / "out.h5"


def read(path: Path, **settings: object) -> list[str]:
    """Get all items from a cache, and return those that were computed."""
    cache, computed = ResultCache(path, [], [], **settings), []

    def compute(name: str) -> np.ndarray:
        computed.append(name)
        return np.array(RESULTS[name])

    for name, values in RESULTS.items():
        assert cache.get(name, b"", lambda name=name: compute(name)).tolist() == values
    return computed


def test_finished_items_are_kept(path: Path):
    assert read(path) == []


def test_items_of_other_settings_are_computed_again(path: Path):
    assert read(path, renders=7) == ["a", "b"]


def test_every_damaged_item_is_computed_again(path: Path):
    (progress,) = path.parent.iterdir()
    intact = progress.read_bytes()
    header, first, second = intact.splitlines(keepends=True)
    for place in range(0, len(second), 3):
        damaged = second[:place] + bytes([second[place] ^ 2]) + second[place + 1 :]
        progress.write_bytes(header + first + damaged)
        assert read(path) == ["b"]
    for cut in range(0, len(second) - 1, 3):
        progress.write_bytes(header + first + second[:cut])
        assert read(path) == ["b"]
