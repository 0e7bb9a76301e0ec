"""Training on synthetic presets, in addition to human-designed ones."""

import hashlib

import h5py
import numpy as np
import pandas as pd
from project import TINY, Project

from flowsynth.training.checkpoints import load

SYNTHETIC = 24


def configure_synthetic(project: Project, count: int) -> None:
    tiny = {**TINY["budgets"]["tiny"], "synthetic_presets": count}
    project.configure(models=["oracle", "nearest_people", "cnn"], budgets={"tiny": tiny})


def test_synthetic_presets_are_trained_on_but_not_tested(copy: Project):
    checkpoint = copy.results / "grouped" / "fold0" / "cnn" / "checkpoint.pt"
    without_synthetic = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    configure_synthetic(copy, SYNTHETIC)
    folds = "results/tiny/amsynth16/grouped"
    scores = f"{folds}/fold0/scores.csv"
    targets = scores, f"{folds}/fold1/sampled/0.h5"
    plan = copy.planned(*targets)
    assert plan["augment_presets"] == 2  # one file per fold
    assert (plan["train"], plan["train_control"]) == (1, 2)
    assert not plan.keys() & {"render", "features", "split"}
    run = copy.snakemake(*targets)
    assert run.returncode == 0, run.stdout
    assert hashlib.sha256(checkpoint.read_bytes()).hexdigest() != without_synthetic
    split = pd.read_csv(copy.results / "split" / "grouped.csv", dtype={"id": str})
    files = sorted(copy.results.glob("grouped/fold*/sampled/*.h5"))
    assert len(files) == 2
    mel: dict[str, np.ndarray] = {}
    for path in copy.results.glob("features/*.h5"):
        with h5py.File(path) as file:
            mel.update(zip(file["id"].asstr()[:], file["mel"][:], strict=True))
    names = []
    for fold, path in enumerate(files):
        with h5py.File(path) as file:
            synthetic = file["mel"][:]
            assert "audio" not in file
            names.append(file["id"].asstr()[:].tolist())
            values = np.asarray(file["values"])
        # near-duplicates of held-out sounds are dropped
        assert len(np.unique(values, axis=0)) == len(names[-1]) >= 0.8 * SYNTHETIC
        assert not set(names[-1]) & set(split["id"])
        held_out = split.loc[(split["fold"] == fold) & (split["part"] != "train"), "id"]
        assert min(np.abs(synthetic - mel[name]).mean((1, 2)).min() for name in held_out) > 0.05
    assert not set(names[0]) & set(names[1])
    with h5py.File(files[0]) as file:
        synthetic = file["mel"][:]
    stored = load(checkpoint.parents[1] / "nearest_people" / "checkpoint.pt").model.mel.numpy()
    human = split.loc[(split["fold"] == 0) & (split["part"] == "train"), "id"]
    assert {spectrogram.tobytes() for spectrogram in stored} == {mel[name].tobytes() for name in human}
    assert not {spectrogram.tobytes() for spectrogram in stored} & {spectrogram.tobytes() for spectrogram in synthetic}
    table = pd.read_csv(copy.folder / scores, dtype={"item": str})
    assert set(table["item"]) <= set(split.loc[split["part"] == "test", "id"])
    assert copy.planned(*targets) == {}


def test_human_presets_only_models_need_no_synthetic_ones(copy: Project):
    configure_synthetic(copy, SYNTHETIC)
    plan = copy.planned("results/tiny/amsynth16/grouped/fold0/nearest_people/scores.csv")
    assert (plan["train_control"], plan["predict_control"]) == (1, 1)
    assert "augment_presets" not in plan


def test_a_million_synthetic_presets_are_some_hundred_jobs(copy: Project):
    configure_synthetic(copy, 1_000_000)
    plan = copy.planned()
    assert plan["augment_presets"] == 2 * 200
    configure_synthetic(copy, 5001)
    assert copy.planned()["augment_presets"] == 2 * 2
