"""Frozen answers are scored again: what differs is named, and only what agrees is stamped."""

import gzip
import json
import shutil
from pathlib import Path

import pytest
from project import Project


@pytest.fixture(scope="module")
def frozen(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny benchmark, frozen."""
    folder = tmp_path_factory.mktemp("rescored") / "project"
    project = Project(shutil.copytree(finished.folder, folder, symlinks=True))
    done = project.script("freeze.py")
    assert done.returncode == 0, done.stdout
    return project


def baselines(project: Project) -> Path:
    return project.folder / "results" / "baselines" / "amsynth16"


def test_baselines_with_a_hash_of_code_are_stamped(frozen: Project):
    """Nothing else of the manifest changes, and what was found is used again."""
    manifest = baselines(frozen) / "manifest.json"
    made = json.loads(manifest.read_text())
    scoring = made.pop("scoring")
    made["data"]["scoring"] = "0" * 64
    manifest.write_text(json.dumps(made))
    done = frozen.script("rescore.py", "--stamp", "--sample", "1")
    assert done.returncode == 0, done.stdout
    assert "amsynth16: stamped" in done.stdout
    stamped = json.loads(manifest.read_text())
    assert stamped.pop("scoring") == scoring
    how = stamped.pop("stamped")
    assert how["items"] == {"of_each_fold": 1, "seed": 1}
    assert how["commit"] == made["maker"]["commit"]
    assert set(how["largest_difference"]) == set(scoring["values"]) - {"features"}
    del made["data"]["scoring"]
    assert stamped == made

    kept = {path: path.stat().st_mtime_ns for path in (frozen.folder / "results" / "rescored").rglob("*.json")}
    assert kept
    done = frozen.script("rescore.py", "amsynth16", "--stamp", "--jobs", "1")
    assert done.returncode == 0, done.stdout
    assert "the sounds of all presets are those that the baselines are of" in done.stdout
    assert json.loads(manifest.read_text())["stamped"]["items"] == "all"
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())


def test_a_score_that_differs_is_named_and_not_stamped(frozen: Project):
    folder = baselines(frozen)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    lines = gzip.decompress(before["scores.csv.gz"]).decode().splitlines()
    row = next(number for number, line in enumerate(lines) if ",cnn," in line and ",log_mel_l1," in line)
    fold, _, item, _, value = lines[row].split(",")
    lines[row] = lines[row].replace(value, f"{float(value) * 1.0001:.6g}")
    try:
        (folder / "scores.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
        done = frozen.script("rescore.py", "--stamp")
        assert done.returncode == 1
        told = next(line for line in done.stdout.splitlines() if line.startswith("amsynth16 log_mel_l1: "))
        assert " scores, 1 differ; the worst by " in told
        assert f": fold {fold}, cnn, item {item}: " in told
        assert "error: amsynth16: scores differ from the frozen ones" in done.stdout
        assert (folder / "manifest.json").read_bytes() == before["manifest.json"]
        assert "unknown data sets amsynth17" in frozen.script("rescore.py", "amsynth17").stdout
        assert "expected at least 1 of each" in frozen.script("rescore.py", "--sample", "0").stdout
    finally:
        for name, content in before.items():
            (folder / name).write_bytes(content)
