"""Candidates against frozen baselines: a model, a system and a file of answers, and what is refused."""

import json
import shutil
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from project import Project


@pytest.fixture(scope="module")
def frozen(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny benchmark, frozen."""
    folder = tmp_path_factory.mktemp("frozen") / "project"
    project = Project(shutil.copytree(finished.folder, folder, symlinks=True))
    done = freeze(project)
    assert done.returncode == 0, done.stdout
    return project


def freeze(project: Project, *arguments: str) -> subprocess.CompletedProcess:
    return project.script("freeze.py", *arguments)


def answers(project: Project, path: Path, change=lambda values: values) -> Path:
    """The answers of the frozen cnn as a file, changed."""
    parts = []
    with h5py.File(project.folder / "results" / "baselines" / "amsynth16" / "predictions.h5") as file:
        for fold in range(2):
            group = file[f"fold{fold}"]
            names = json.loads(group.attrs["names"])
            values = change(group["answers/cnn"][:].astype(np.float64))
            table = pd.DataFrame(values, columns=names)
            parts.append(table.assign(fold=fold, item=group["item"].asstr()[:]))
    pd.concat(parts).sample(frac=1, random_state=0).to_csv(path, index=False)
    return path


def compared(project: Project, candidate: str, name: str) -> pd.DataFrame:
    run = project.snakemake("compare", "--config", f"candidate={candidate}")
    assert run.returncode == 0, run.stdout
    folder = project.results / "compare" / name
    assert (folder / "index.html").exists()
    assert "against the baselines" in (folder / "index.html").read_text()
    assert "Difference" in (folder / "comparison.md").read_text()
    return pd.read_csv(folder / "comparison.csv").set_index(["metric", "baseline"])


@pytest.fixture(scope="module")
def far(frozen: Project) -> pd.DataFrame:
    """The comparison of answers that are further away than those of the cnn, a file named far."""
    values = answers(
        frozen, frozen.folder / "far.csv", lambda values: np.where(values > 0.5, values - 0.3, values + 0.3)
    )
    return compared(frozen, str(values), "far")


def test_the_same_answers_are_no_different_and_worse_ones_are_worse(frozen: Project, far: pd.DataFrame):
    same = compared(frozen, "cnn", "cnn")
    assert set(same.index.get_level_values("baseline")) == {"mean", "cnn (frozen)"}
    mine = same.xs("cnn (frozen)", level="baseline")
    assert (mine["verdict"] == "no difference").all()
    assert (mine["difference"].abs() < 1e-6 * mine["baseline_mean"].abs() + 1e-9).all()

    worse = far.xs("cnn", level="baseline")
    assert worse.loc["parameter_mse", "verdict"] == "worse"
    assert worse.loc["parameter_mse", "difference"] > 0


def test_a_model_is_trained_and_compared_without_the_baselines_being_run_again(frozen: Project):
    run = frozen.snakemake("compare", "--config", "candidate=nearest_refined20", "--dry-run")
    assert run.returncode == 0, run.stdout
    assert "rule refine:" in run.stdout
    assert "rule train:" not in run.stdout  # the cnn is not trained again
    table = compared(frozen, "perturbed_best4", "perturbed_best4")
    assert table.loc[("log_mel_l1", "mean"), "candidate_mean"] < table.loc[("log_mel_l1", "mean"), "baseline_mean"]


@pytest.mark.usefixtures("far")
def test_what_was_compared_is_put_beside_the_baselines(frozen: Project):
    folder = frozen.folder / "results" / "baselines" / "amsynth16"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    try:
        done = freeze(frozen, "amsynth16", "--add", "far")
        assert done.returncode == 0, done.stdout
        scores = pd.read_csv(folder / "scores.csv.gz")
        assert set(scores["model"]) == {"oracle", "mean", "cnn", "far"}
        assert scores.groupby("model").size().nunique() == 1
        with h5py.File(folder / "predictions.h5") as file:
            found, theirs = (file[f"fold1/answers/{name}"][:] for name in ("far", "cnn"))
        np.testing.assert_allclose(np.abs(found - theirs), 0.3, rtol=1e-5)
        assert json.loads((folder / "manifest.json").read_text())["added"]["far"]["file"]
        after = (folder / "scores.csv.gz").read_bytes()
        for written in (
            [],
            ["scores.csv.gz"],
            ["scores.csv.gz", "manifest.json"],
        ):  # again, and as after a stop half-way
            for name in written:
                (folder / name).write_bytes(before[name])
            assert freeze(frozen, "amsynth16", "--add", "far").returncode == 0
            assert (folder / "scores.csv.gz").read_bytes() == after
        with h5py.File(folder / "predictions.h5", "r+") as file:
            file["fold1/answers/far"][0, 0] += 0.01
        assert "far was added to" in freeze(frozen, "amsynth16", "--add", "far").stdout  # but those are other answers
        assert (folder / "scores.csv.gz").read_bytes() == after
        assert "cnn is one of the baselines" in freeze(frozen, "amsynth16", "--add", "cnn").stdout
        assert "candidate=nobody compared_on=amsynth16" in freeze(frozen, "amsynth16", "--add", "nobody").stdout
        assert "unknown data sets amsynth17" in freeze(frozen, "amsynth17").stdout
        for of in ([], ["--fold", "1"]):
            assert freeze(frozen, "amsynth16", *of).returncode == 0
            assert (folder / "scores.csv.gz").read_bytes() == after  # what was added is kept
            with h5py.File(folder / "predictions.h5") as file:
                assert set(file["fold0/answers"]) == set(file["fold1/answers"]) == {"oracle", "mean", "cnn", "far"}
        made = json.loads((folder / "manifest.json").read_text())
        assert made["added"]["far"]["file"]
        (folder / "manifest.json").write_text(json.dumps(made | {"folds": [0]}))
        assert "far were added to" in freeze(frozen, "amsynth16", "--fold", "1").stdout  # without answers to that fold
    finally:
        for name, content in before.items():
            (folder / name).write_bytes(content)


def test_a_campaign_is_frozen_a_fold_at_a_time(frozen: Project):
    folder = frozen.folder / "results" / "baselines" / "amsynth16"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    try:
        for path in folder.iterdir():
            path.unlink()
        assert "folds [1]" in freeze(frozen, "--fold", "1").stdout
        assert set(pd.read_csv(folder / "scores.csv.gz")["fold"]) == {1}
        same = compared(frozen, "perturbed_best4", "perturbed_best4")  # of the fold that there is
        assert set(same["items"]) == {len(pd.read_csv(folder / "scores.csv.gz")["item"].unique())}
        done = freeze(frozen, "--fold", "0")
        assert "folds [0, 1]" in done.stdout, done.stdout
        assert (folder / "scores.csv.gz").read_bytes() == before["scores.csv.gz"]
        with h5py.File(folder / "predictions.h5") as file:
            assert set(file) == {"fold0", "fold1"}
            assert set(file["fold1/answers"]) == set(file["fold0/answers"]) == {"oracle", "mean", "cnn"}
        made = json.loads((folder / "manifest.json").read_text())
        made["maker"]["epochs"] += 1
        (folder / "manifest.json").write_text(json.dumps(made))
        assert "other settings: epochs (" in freeze(frozen, "--fold", "0").stdout
    finally:
        for name, content in before.items():
            (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cutoff": 0.5}, "has too many, and unknown the columns cutoff"),
        ({"filter_cutoff": np.nan}, "line 2: filter_cutoff = , expected a number within 0..1"),
        ({"item": "x"}, "line 2: fold "),
    ],
)
def test_answers_that_are_wrong_are_refused(frozen: Project, change: dict, said: str):
    path = answers(frozen, frozen.folder / "wrong.csv")
    table = pd.read_csv(path, dtype={"item": str})
    table.assign(**change).to_csv(path, index=False)
    run = frozen.snakemake("compare", "--config", f"candidate={path}")
    assert run.returncode != 0
    assert said in run.stdout
    assert "Traceback" not in run.stdout


def test_a_candidate_that_is_not_there_is_told(frozen: Project):
    for candidate, said in {
        "nowhere.csv": "config: candidate: there is no file nowhere.csv",
        "cnm": "config: unknown model 'cnm'",
        "cnn_refined8_best2": "cnn_refined8_best2: best of N",
    }.items():
        run = frozen.snakemake("compare", "--config", f"candidate={candidate}", "--dry-run")
        assert run.returncode != 0
        assert said in run.stdout
    for taken in ("cnn.csv", "original.csv"):
        (frozen.folder / taken).write_text("")
        assert "rename it" in frozen.snakemake("compare", "--config", f"candidate={taken}", "--dry-run").stdout
    assert "compare needs a candidate" in frozen.snakemake("compare", "--dry-run").stdout


def test_other_data_are_refused_by_name(frozen: Project):
    manifest = frozen.folder / "results" / "baselines" / "amsynth16" / "manifest.json"
    text = manifest.read_text()
    made = json.loads(text)
    try:
        made["data"]["split"] = "0" * 64
        manifest.write_text(json.dumps(made))
        run = frozen.snakemake("compare", "--config", "candidate=cnn")
        assert run.returncode != 0
        assert "they differ in: split (" in run.stdout
        assert "they differ in: split (" in freeze(frozen).stdout
        made["maker"]["epochs"] += 1
        manifest.write_text(json.dumps(made))
        run = frozen.snakemake("compare", "--config", "candidate=cnn", "--dry-run")
        assert "were made with other settings: epochs (" in run.stdout
    finally:
        manifest.write_text(text)


def test_scoring_is_held_to_what_it_does_not_to_its_text(frozen: Project, tmp_path: Path):
    project = Project(shutil.copytree(frozen.folder, tmp_path / "project", symlinks=True))
    metrics = project.folder / "flowsynth" / "metrics" / "spectral.py"
    text = metrics.read_text()
    assert text.count("axis=(1, 2))\n\n\ndef log_mel_l1") == 1
    metrics.write_text(text.replace('"""Mean squared error of the power."""', '"""Of the power, the squared error."""'))
    assert metrics.read_text() != text
    same = compared(project, "cnn", "cnn").xs("cnn (frozen)", level="baseline")
    assert (same["verdict"] == "no difference").all()

    # a metric that is newer than the baselines is not compared
    newer = 'METRICS += (dataclasses.replace(METRICS[-1], name="newer"),)\n'
    metrics.write_text(f"import dataclasses\n{text}{newer}")
    run = project.snakemake("compare", "--config", "candidate=cnn")
    assert run.returncode == 0, run.stdout
    assert "not compared, as the baselines don't have it: newer" in run.stdout
    assert "newer" not in pd.read_csv(project.results / "compare" / "cnn" / "comparison.csv")["metric"].tolist()

    metrics.write_text(text.replace("axis=(1, 2))\n\n\ndef log_mel_l1", "axis=(1, 2)) * 1.01\n\n\ndef log_mel_l1"))
    run = project.snakemake("compare", "--config", "candidate=cnn")
    assert run.returncode != 0
    assert "they differ in: scoring of mel_mse (" in run.stdout
    assert "by 1.0e-02 of it)" in run.stdout
    assert "log_mel_l1 (" not in run.stdout


def test_baselines_that_do_not_say_what_scoring_did_are_told_what_to_do(frozen: Project):
    manifest = frozen.folder / "results" / "baselines" / "amsynth16" / "manifest.json"
    text = manifest.read_text()
    made = json.loads(text)
    try:
        del made["scoring"]
        made["data"]["scoring"] = "0" * 64
        manifest.write_text(json.dumps(made))
        run = frozen.snakemake("compare", "--config", "candidate=cnn", "--dry-run")
        assert "python workflow/rescore.py --stamp amsynth16" in run.stdout
        assert "python workflow/rescore.py --stamp amsynth16" in freeze(frozen).stdout
    finally:
        manifest.write_text(text)


def test_a_dirty_tree_is_not_frozen(frozen: Project):
    config = frozen.folder / "config.yaml"
    text = config.read_text()
    try:
        config.write_text(text + "\n# not committed\n")
        done = freeze(frozen)
        assert done.returncode != 0
        assert "commit first" in done.stdout
    finally:
        config.write_text(text)
    checkpoint = frozen.results / "grouped" / "fold1" / "cnn" / "checkpoint.pt"
    content = checkpoint.read_bytes()
    try:
        trained = torch.load(checkpoint)
        torch.save(trained | {"maker": trained["maker"] | {"commit": "unknown"}}, checkpoint)
        assert (
            f"{checkpoint} was made by commit unknown, which nobody could make again: delete" in freeze(frozen).stdout
        )
    finally:
        checkpoint.write_bytes(content)
    before = (frozen.folder / "results" / "baselines" / "amsynth16" / "scores.csv.gz").read_bytes()
    assert freeze(frozen).returncode == 0
    assert (frozen.folder / "results" / "baselines" / "amsynth16" / "scores.csv.gz").read_bytes() == before
