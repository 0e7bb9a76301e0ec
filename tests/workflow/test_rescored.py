"""Rescoring of frozen predictions: differences are reported, and only agreeing baselines are stamped."""

import gzip
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from frozen import accept_changes
from project import Project

from flowsynth.leaderboard.baselines import read_fold, read_frozen


@pytest.fixture(scope="module")
def frozen(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the tiny benchmark with frozen baselines, one of which samples a density."""
    folder = tmp_path_factory.mktemp("rescored") / "project"
    project = Project(shutil.copytree(finished.folder, folder, symlinks=True))
    project.configure(models=["oracle", "mean", "cnn", "npe_nsf"])
    project.commit()
    run = project.snakemake(*(f"results/tiny/amsynth16/grouped/fold{fold}/npe_nsf/scores.csv" for fold in range(2)))
    assert run.returncode == 0, run.stdout
    run = project.script("freeze.py")
    assert run.returncode == 0, run.stdout
    return project


def baselines(project: Project) -> Path:
    return project.folder / "results" / "baselines" / "amsynth16"


def test_older_baselines_are_stamped(frozen: Project):
    """The rest of the manifest is unchanged, and cached results are reused."""
    manifest = baselines(frozen) / "manifest.json"
    content = json.loads(manifest.read_text())
    scoring = content.pop("scoring")
    content["data"]["scoring"] = "0" * 64
    manifest.write_text(json.dumps(content))
    run = frozen.script("rescore.py", "--stamp", "--sample", "1")
    assert run.returncode == 0, run.stdout
    assert "amsynth16: stamped" in run.stdout
    stamped = json.loads(manifest.read_text())
    assert stamped.pop("scoring") == scoring
    check = stamped.pop("stamped")
    assert check["items"] == {"of_each_fold": 1, "seed": 1}
    assert check["commit"] == content["maker"]["commit"]
    assert set(check["largest_difference"]) == set(scoring["values"]) - {"features"}
    del content["data"]["scoring"]
    assert stamped == content

    cache = {path: path.stat().st_mtime_ns for path in (frozen.folder / "results" / "rescored").rglob("*.json")}
    assert cache
    run = frozen.script("rescore.py", "amsynth16", "--stamp", "--jobs", "1")
    assert run.returncode == 0, run.stdout
    assert "bit-identical" in run.stdout
    assert json.loads(manifest.read_text())["stamped"]["items"] == "all"
    assert all(path.stat().st_mtime_ns == time for path, time in cache.items())


def test_scores_of_a_density_are_means_over_its_draws(frozen: Project):
    scored = pd.read_csv(frozen.results / "grouped/fold0/npe_nsf/scores.csv", dtype={"item": str})
    assert set(scored["sample"]) == {0, 1}
    expected = scored.groupby(["item", "metric"])["value"].mean()
    table = read_frozen(baselines(frozen))
    stored = table[(table["model"] == "npe_nsf") & (table["fold"] == 0)].set_index(["item", "metric"])["value"]
    assert stored.to_dict() == pytest.approx(expected.to_dict(), rel=1e-5, nan_ok=True)
    items, truth, systems = read_fold(baselines(frozen), 0)
    assert systems["npe_nsf"].shape == (len(items), 2, truth.shape[1])
    assert systems["cnn"].shape == (len(items), 1, truth.shape[1])


def test_differing_score_is_reported_and_not_stamped(frozen: Project):
    folder = baselines(frozen)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    lines = gzip.decompress(before["scores.csv.gz"]).decode().splitlines()
    row = next(number for number, line in enumerate(lines) if ",cnn," in line and ",log_mel_l1," in line)
    fold, *_, item, _, value = lines[row].split(",")
    lines[row] = lines[row].replace(value, f"{float(value) * 1.0001:.6g}")
    try:
        (folder / "scores.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
        assert "scores.csv.gz is damaged, or was changed" in frozen.script("rescore.py", "--stamp").stdout
        accept_changes(folder)
        changed = (folder / "manifest.json").read_bytes()
        run = frozen.script("rescore.py", "--stamp", "--jobs", "1")
        assert run.returncode == 1
        report = next(line for line in run.stdout.splitlines() if line.startswith("amsynth16 log_mel_l1: "))
        assert " scores, 1 differ; " in report
        assert f": fold {fold}, cnn, item {item}: " in report
        assert "error: amsynth16: " in run.stdout
        assert (folder / "manifest.json").read_bytes() == changed
        assert "unknown data sets amsynth17" in frozen.script("rescore.py", "amsynth17").stdout
        assert "--sample 0" in frozen.script("rescore.py", "--sample", "0").stdout
    finally:
        for name, content in before.items():
            (folder / name).write_bytes(content)
