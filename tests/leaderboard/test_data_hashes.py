"""What scores come from is told apart: other data by what is other, and code that is no commit by what it made."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from flowsynth.core import hdf5, provenance
from flowsynth.leaderboard import data_hashes

NAMES = ("a", "b")


@pytest.fixture
def data(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Hash a small run, with something changed."""

    def hashed(presets: str = "id\nx\n", split: str = "fold\n0\n", **changes) -> dict[str, str]:
        for name, text in {"presets.csv": presets, "split.csv": split}.items():
            (tmp_path / name).write_text(text)
        audio = np.zeros((2, 4), dtype=np.float32)
        audio[1, 3] = changes.get("sample", 0)
        shards = []
        for number, rows in enumerate(changes.get("shards", [[0, 1]])):
            shards.append(tmp_path / f"{number}.h5")
            with hdf5.writing(shards[-1], [f"i{row}" for row in rows], np.zeros((len(rows), 2)), NAMES, {}) as file:
                hdf5.add_items(file, "audio", (4,))[:] = audio[rows]
        return data_hashes.hashes(tmp_path / "presets.csv", tmp_path / "split.csv", shards)

    return hashed


@pytest.mark.parametrize(
    ("change", "other"),
    [
        ({}, []),
        ({"shards": [[1], [0]]}, []),
        ({"presets": "id\ny\n"}, ["presets"]),
        ({"split": "fold\n1\n"}, ["split"]),
        ({"sample": 1e-7}, ["audio"]),
    ],
)
def test_the_hash_of_what_is_other_is_another_one(data, change: dict, other: list[str]):
    before, after = data(), data(**change)
    assert [name for name in before if before[name] != after[name]] == other


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """The commits of a system that takes the best of the answers of a model, and goes on from it, each made by a commit."""

    def commits(
        code: str = "c0",
        model: str = "c1",
        best: str = "c2",
        refined: str = "c3",
        scores: str = "c4",
        mss: float | None = 1.0,
    ) -> list[str]:
        folders = {name: tmp_path / name for name in ("cnn", "cnn_best16", "cnn_best16_refined8")}
        for folder, made in {folders["cnn_best16"]: best, folders["cnn_best16_refined8"]: refined}.items():
            monkeypatch.setattr(provenance, "commit", lambda made=made: made)
            with hdf5.writing(folder / "predictions.h5", ["i"], np.zeros((1, 2)), NAMES, {}):
                pass
        folders["cnn"].mkdir(exist_ok=True)
        torch.save({"maker": {"commit": model}}, folders["cnn"] / "checkpoint.pt")
        table = folders["cnn_best16_refined8"] / "scores.csv"
        did = {} if mss is None else {"scoring": {"version": 1, "values": {"mss": [mss]}}}
        table.with_name("scores.csv.json").write_text(json.dumps({"commit": scores} | did))
        monkeypatch.setattr(data_hashes, "commit", lambda: code)
        monkeypatch.setattr(data_hashes, "fingerprint", lambda: {"version": 1, "values": {"mss": [1.0]}})
        return data_hashes.commits([folders["cnn_best16_refined8"] / "predictions.h5"], [table])

    return commits


def test_the_commits_of_all_that_answers_come_from_are_known(run):
    assert run() == ["c0", "c1", "c2", "c3", "c4"]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"code": "c0-dirty"}, "the code is of commit c0-dirty: commit first"),
        ({"model": "unknown"}, "cnn/checkpoint.pt was made by commit unknown, which nobody could make again: delete"),
        ({"best": "c-dirty"}, "cnn_best16/predictions.h5 was made by commit c-dirty"),
        (
            {"scores": "c-dirty", "model": "unknown"},
            r"cnn_best16_refined8/scores.csv \(and 1 more\) was made by commit c-dirty",
        ),
        (
            {"mss": 1.1},
            r"scores.csv was scored by commit c4, and scoring now differs in mss \(1 of 1 values, .*: delete",
        ),
        ({"mss": None}, "scores.csv was scored by commit c4, and nothing says what scoring did then: delete"),
    ],
)
def test_what_nobody_could_make_again_is_refused(run, made: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=said):
        run(**made)
