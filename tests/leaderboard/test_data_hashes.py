"""Provenance of scores: hashes identify the data that changed; results of uncommitted code are refused."""

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
    """Hash a small run with optional changes."""

    def hash_run(presets: str = "id\nx\n", split: str = "fold\n0\n", **changes) -> dict[str, str]:
        for name, text in {"presets.csv": presets, "split.csv": split}.items():
            (tmp_path / name).write_text(text)
        audio = np.zeros((2, 4), dtype=np.float32)
        audio[1, 3] = changes.get("sample", 0)
        shards = []
        for number, rows in enumerate(changes.get("shards", [[0, 1]])):
            shards.append(tmp_path / f"{number}.h5")
            with hdf5.writing(shards[-1], [f"i{row}" for row in rows], np.zeros((len(rows), 2)), NAMES, {}) as file:
                hdf5.add_items(file, "audio", (4,))[:] = audio[rows]
        return data_hashes.hash_data(tmp_path / "presets.csv", tmp_path / "split.csv", shards)

    return hash_run


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({}, []),
        ({"shards": [[1], [0]]}, []),
        ({"presets": "id\ny\n"}, ["presets"]),
        ({"split": "fold\n1\n"}, ["split"]),
        ({"sample": 1e-7}, ["audio"]),
    ],
)
def test_only_the_hashes_of_changed_data_differ(data, change: dict, changed: list[str]):
    before, after = data(), data(**change)
    assert [name for name in before if before[name] != after[name]] == changed


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Collect the commits of a refined best-of-16 system, one commit per step."""

    def commits(
        code: str = "c0",
        model: str = "c1",
        best: str = "c2",
        refined: str = "c3",
        scores: str = "c4",
        mss: float | None = 1.0,
    ) -> list[str]:
        fold = tmp_path / "tiny" / "toy2" / "grouped" / "fold0"
        folders = {name: fold / name for name in ("cnn", "cnn_best16", "cnn_best16_refined8")}
        for folder, name in {folders["cnn_best16"]: best, folders["cnn_best16_refined8"]: refined}.items():
            monkeypatch.setattr(provenance, "commit", lambda name=name: name)
            with hdf5.writing(folder / "predictions.h5", ["i"], np.zeros((1, 2)), NAMES, {}):
                pass
        folders["cnn"].mkdir(parents=True, exist_ok=True)
        torch.save({"maker": {"commit": model}}, folders["cnn"] / "checkpoint.pt")
        table = folders["cnn_best16_refined8"] / "scores.csv"
        scoring = {} if mss is None else {"scoring": {"version": 1, "values": {"mss": [mss]}}}
        table.with_name("scores.csv.json").write_text(json.dumps({"commit": scores} | scoring))
        monkeypatch.setattr(data_hashes, "commit", lambda: code)
        monkeypatch.setattr(data_hashes, "fingerprint", lambda: {"version": 1, "values": {"mss": [1.0]}})
        return data_hashes.collect_commits([folders["cnn_best16_refined8"] / "predictions.h5"], [table])

    return commits


def test_commits_of_all_steps_are_collected(run):
    assert run() == ["c0", "c1", "c2", "c3", "c4"]


@pytest.mark.parametrize(
    ("commits", "message"),
    [
        ({"code": "c0-dirty"}, "c0-dirty"),
        ({"model": "unknown"}, "cnn/checkpoint.pt .* unknown"),
        ({"best": "c-dirty"}, "cnn_best16/predictions.h5 .* c-dirty"),
        ({"scores": "c-dirty", "model": "unknown"}, r"cnn_best16_refined8/scores.csv \(and 1 more\) .* c-dirty"),
        ({"mss": 1.1}, r"scores.csv .* c4, .* mss \(1 of 1 values"),
        ({"mss": None}, "scores.csv .* c4, without a fingerprint"),
    ],
)
def test_irreproducible_results_are_refused(run, commits: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        run(**commits)
