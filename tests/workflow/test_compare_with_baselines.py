"""Comparison of candidates with frozen baselines: models, systems and submitted files; freezing; and refusals."""

import json
import shutil
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from frozen import accept_changes
from project import Project

from flowsynth.core.integrity import checksum_path


@pytest.fixture(scope="module")
def frozen(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the tiny benchmark with frozen baselines."""
    folder = tmp_path_factory.mktemp("frozen") / "project"
    project = Project(shutil.copytree(finished.folder, folder, symlinks=True))
    run = freeze(project)
    assert run.returncode == 0, run.stdout
    return project


def freeze(project: Project, *arguments: str) -> subprocess.CompletedProcess:
    return project.script("freeze.py", *arguments)


def write_submission(project: Project, path: Path, change=lambda values: values) -> Path:
    """Write the predictions of the frozen cnn to a file, optionally changed."""
    tables = []
    with h5py.File(project.folder / "results" / "baselines" / "amsynth16" / "predictions.h5") as file:
        for fold in range(2):
            group = file[f"fold{fold}"]
            names = json.loads(group.attrs["names"])
            values = change(group["answers/cnn"][:].astype(np.float64))
            table = pd.DataFrame(values, columns=names)
            tables.append(table.assign(fold=fold, item=group["item"].asstr()[:]))
    pd.concat(tables).sample(frac=1, random_state=0).to_csv(path, index=False)
    return path


def compare(project: Project, candidate: str, name: str) -> pd.DataFrame:
    run = project.snakemake("compare", "--config", f"candidate={candidate}")
    assert run.returncode == 0, run.stdout
    folder = project.results / "compare" / name
    assert (folder / "index.html").exists()
    for page in ("index.html", "comparison.md"):
        assert name in (folder / page).read_text()
    return pd.read_csv(folder / "comparison.csv").set_index(["metric", "baseline"])


@pytest.fixture(scope="module")
def far(frozen: Project) -> pd.DataFrame:
    """Compare a submission far.csv with the baselines: predictions of the cnn, shifted by 0.3."""
    path = write_submission(
        frozen, frozen.folder / "far.csv", lambda values: np.where(values > 0.5, values - 0.3, values + 0.3)
    )
    return compare(frozen, str(path), "far")


def test_equal_predictions_do_not_differ_and_worse_are_worse(frozen: Project, far: pd.DataFrame):
    same = compare(frozen, "cnn", "cnn")
    assert set(same.index.get_level_values("baseline")) == {"mean", "cnn (frozen)"}
    itself = same.xs("cnn (frozen)", level="baseline")
    assert (itself["verdict"] == "no difference").all()
    assert (itself["difference"].abs() < 1e-6 * itself["baseline_mean"].abs() + 1e-9).all()

    worse = far.xs("cnn", level="baseline")
    assert worse.loc["parameter_mse", "verdict"] == "worse"
    assert worse.loc["parameter_mse", "difference"] > 0


def test_comparison_does_not_rerun_the_baselines(frozen: Project):
    run = frozen.snakemake("compare", "--config", "candidate=nearest_refined20", "--dry-run")
    assert run.returncode == 0, run.stdout
    assert "rule refine_cma_es:" in run.stdout
    assert "rule train:" not in run.stdout  # the cnn is not trained again
    table = compare(frozen, "perturbed_best2", "perturbed_best2")
    assert table.loc[("log_mel_l1", "mean"), "candidate_mean"] < table.loc[("log_mel_l1", "mean"), "baseline_mean"]


@pytest.mark.usefixtures("far")
def test_compared_candidate_is_added_to_the_baselines(frozen: Project):
    folder = frozen.folder / "results" / "baselines" / "amsynth16"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    try:
        run = freeze(frozen, "amsynth16", "--add", "far")
        assert run.returncode == 0, run.stdout
        scores = pd.read_csv(folder / "scores.csv.gz")
        assert set(scores["model"]) == {"oracle", "mean", "cnn", "far"}
        assert scores.groupby("model").size().nunique() == 1
        with h5py.File(folder / "predictions.h5") as file:
            candidate, baseline = (file[f"fold1/answers/{name}"][:] for name in ("far", "cnn"))
        np.testing.assert_allclose(np.abs(candidate - baseline), 0.3, rtol=1e-5)
        assert json.loads((folder / "manifest.json").read_text())["added"]["far"]["file"]
        after = (folder / "scores.csv.gz").read_bytes()
        # a repeated call, and repeated calls after an interruption, before which the manifest had both hashes
        old, new = (
            json.loads(text)["files"] for text in (before["manifest.json"], (folder / "manifest.json").read_text())
        )
        both = json.loads((folder / "manifest.json").read_text()) | {
            "files": {name: [*old[name], *new[name]] for name in old}
        }
        for outdated in ([], ["predictions.h5"], ["predictions.h5", "scores.csv.gz"]):
            for name in outdated:
                (folder / name).write_bytes(before[name])
            (folder / "manifest.json").write_text(json.dumps(both))
            assert freeze(frozen, "amsynth16", "--add", "far").returncode == 0
            assert (folder / "scores.csv.gz").read_bytes() == after
        assert [len(hashes) for hashes in json.loads((folder / "manifest.json").read_text())["files"].values()] == [
            1,
            1,
        ]
        with h5py.File(folder / "predictions.h5", "r+") as file:
            file["fold1/answers/far"][0, 0] += 0.01
        assert "predictions.h5 is damaged, or was changed" in freeze(frozen, "amsynth16", "--add", "far").stdout
        accept_changes(folder)
        assert "far was added to" in freeze(frozen, "amsynth16", "--add", "far").stdout  # other predictions
        assert (folder / "scores.csv.gz").read_bytes() == after
        assert "cnn is one of the baselines" in freeze(frozen, "amsynth16", "--add", "cnn").stdout
        assert "candidate=nobody compared_on=amsynth16" in freeze(frozen, "amsynth16", "--add", "nobody").stdout
        assert "unknown data sets amsynth17" in freeze(frozen, "amsynth17").stdout
        for fold in ([], ["--fold", "1"]):
            assert freeze(frozen, "amsynth16", *fold).returncode == 0
            assert (folder / "scores.csv.gz").read_bytes() == after  # the candidate is kept
            with h5py.File(folder / "predictions.h5") as file:
                assert set(file["fold0/answers"]) == set(file["fold1/answers"]) == {"oracle", "mean", "cnn", "far"}
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["added"]["far"]["file"]
        (folder / "manifest.json").write_text(json.dumps(manifest | {"folds": [0]}))
        assert "far were added to" in freeze(frozen, "amsynth16", "--fold", "1").stdout  # it lacks that fold
    finally:
        for name, content in before.items():
            (folder / name).write_bytes(content)


def test_campaign_can_be_frozen_fold_by_fold(frozen: Project):
    folder = frozen.folder / "results" / "baselines" / "amsynth16"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    try:
        for path in folder.iterdir():
            path.unlink()
        assert "folds [1]" in freeze(frozen, "--fold", "1").stdout
        assert set(pd.read_csv(folder / "scores.csv.gz")["fold"]) == {1}
        table = compare(frozen, "perturbed_best2", "perturbed_best2")  # on the frozen fold only
        assert set(table["items"]) == {len(pd.read_csv(folder / "scores.csv.gz")["item"].unique())}
        run = freeze(frozen, "--fold", "0")
        assert "folds [0, 1]" in run.stdout, run.stdout
        assert (folder / "scores.csv.gz").read_bytes() == before["scores.csv.gz"]
        with h5py.File(folder / "predictions.h5") as file:
            assert set(file) == {"fold0", "fold1"}
            assert set(file["fold1/answers"]) == set(file["fold0/answers"]) == {"oracle", "mean", "cnn"}
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["maker"]["epochs"] += 1
        (folder / "manifest.json").write_text(json.dumps(manifest))
        assert "settings: epochs (" in freeze(frozen, "--fold", "0").stdout
    finally:
        for name, content in before.items():
            (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cutoff": 0.5}, "unknown columns cutoff"),
        ({"filter_cutoff": np.nan}, "line 2: filter_cutoff = "),
        ({"item": "x"}, "line 2: fold "),
    ],
)
def test_invalid_submissions_are_refused(frozen: Project, change: dict, message: str):
    path = write_submission(frozen, frozen.folder / "wrong.csv")
    table = pd.read_csv(path, dtype={"item": str})
    table.assign(**change).to_csv(path, index=False)
    run = frozen.snakemake("compare", "--config", f"candidate={path}")
    assert run.returncode != 0
    assert message in run.stdout
    assert "Traceback" not in run.stdout


def test_unknown_candidates_and_reserved_names_are_refused(frozen: Project):
    for candidate, name in {
        "nowhere.csv": "nowhere.csv",
        "cnm": "'cnm'",
        "cnn_refined8_best2": "cnn_refined8_best2",
    }.items():
        run = frozen.snakemake("compare", "--config", f"candidate={candidate}", "--dry-run")
        assert run.returncode != 0
        assert "config: " in run.stdout
        assert name in run.stdout
    for reserved in ("cnn.csv", "original.csv"):
        (frozen.folder / reserved).write_text("")
        assert "rename it" in frozen.snakemake("compare", "--config", f"candidate={reserved}", "--dry-run").stdout
    assert "--config candidate=NAME" in frozen.snakemake("compare", "--dry-run").stdout


def test_other_data_and_settings_are_refused_by_name(frozen: Project):
    manifest = frozen.folder / "results" / "baselines" / "amsynth16" / "manifest.json"
    text = manifest.read_text()
    content = json.loads(text)
    try:
        content["data"]["split"] = "0" * 64
        manifest.write_text(json.dumps(content))
        run = frozen.snakemake("compare", "--config", "candidate=cnn")
        assert run.returncode != 0
        assert "they differ in: split (" in run.stdout
        assert "they differ in: split (" in freeze(frozen).stdout
        content["maker"]["epochs"] += 1
        manifest.write_text(json.dumps(content))
        run = frozen.snakemake("compare", "--config", "candidate=cnn", "--dry-run")
        assert "settings: epochs (" in run.stdout
    finally:
        manifest.write_text(text)


def test_scoring_is_compared_by_its_values_not_its_code(frozen: Project, tmp_path: Path):
    project = Project(shutil.copytree(frozen.folder, tmp_path / "project", symlinks=True))
    metrics = project.folder / "flowsynth" / "metrics" / "spectral.py"
    text = metrics.read_text()
    assert text.count("axis=(1, 2))\n\n\ndef log_mel_l1") == 1
    # a metric without frozen scores is not compared
    newer = 'METRICS += (dataclasses.replace(METRICS[-1], name="newer"),)\n'
    metrics.write_text(f"import dataclasses\n{text}{newer}")
    run = project.snakemake("compare", "--config", "candidate=cnn")
    assert run.returncode == 0, run.stdout
    assert "not compared: newer" in run.stdout
    assert "newer" not in pd.read_csv(project.results / "compare" / "cnn" / "comparison.csv")["metric"].tolist()

    metrics.write_text(text.replace("axis=(1, 2))\n\n\ndef log_mel_l1", "axis=(1, 2)) * 1.01\n\n\ndef log_mel_l1"))
    run = project.snakemake("compare", "--config", "candidate=cnn")
    assert run.returncode != 0
    assert "they differ in: scoring of mel_mse (" in run.stdout
    assert "relative difference 1.0e-02)" in run.stdout
    assert "log_mel_l1 (" not in run.stdout


def test_baselines_without_fingerprint_must_be_rescored(frozen: Project):
    manifest = frozen.folder / "results" / "baselines" / "amsynth16" / "manifest.json"
    text = manifest.read_text()
    content = json.loads(text)
    try:
        del content["scoring"]
        content["data"]["scoring"] = "0" * 64
        manifest.write_text(json.dumps(content))
        run = frozen.snakemake("compare", "--config", "candidate=cnn", "--dry-run")
        assert "python workflow/rescore.py --stamp amsynth16" in run.stdout
        assert "python workflow/rescore.py --stamp amsynth16" in freeze(frozen).stdout
    finally:
        manifest.write_text(text)


def test_results_of_uncommitted_code_are_not_frozen(frozen: Project):
    config = frozen.folder / "config.yaml"
    text = config.read_text()
    try:
        config.write_text(text + "\n# not committed\n")
        run = freeze(frozen)
        assert run.returncode != 0
        assert "commit first" in run.stdout
    finally:
        config.write_text(text)
    checkpoint = frozen.results / "grouped" / "fold1" / "cnn" / "checkpoint.pt"
    content = checkpoint.read_bytes()
    try:
        state = torch.load(checkpoint)
        torch.save(state | {"maker": state["maker"] | {"commit": "unknown"}}, checkpoint)
        checksum_path(checkpoint).rename(checkpoint.with_suffix(".kept"))
        assert f"{checkpoint} was made by commit unknown" in freeze(frozen).stdout
    finally:
        checkpoint.write_bytes(content)
        checkpoint.with_suffix(".kept").rename(checksum_path(checkpoint))
    before = (frozen.folder / "results" / "baselines" / "amsynth16" / "scores.csv.gz").read_bytes()
    assert freeze(frozen).returncode == 0
    assert (frozen.folder / "results" / "baselines" / "amsynth16" / "scores.csv.gz").read_bytes() == before
