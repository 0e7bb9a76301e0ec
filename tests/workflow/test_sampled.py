"""Training on more presets than people made, more than memory may hold."""

import hashlib

import h5py
import numpy as np
import pandas as pd
from project import TINY, Project

from flowsynth.training.checkpoints import load

DRAWN = 40


def with_drawn(project: Project, count: int) -> None:
    tiny = {**TINY["budgets"]["tiny"], "sampled": count}
    project.configure(models=["oracle", "nearest_people", "cnn"], budgets={"tiny": tiny})


def test_drawn_presets_are_trained_on_and_never_tested(copy: Project):
    before = copy.results / "grouped" / "fold0" / "cnn" / "checkpoint.pt"
    without = hashlib.sha256(before.read_bytes()).hexdigest()
    with_drawn(copy, DRAWN)
    folds = "results/tiny/amsynth16/grouped"
    scores = f"{folds}/fold0/scores.csv"
    wanted = scores, f"{folds}/fold1/sampled/0.h5"
    plan = copy.planned(*wanted)
    assert plan["sample"] == 2  # one file a fold
    assert (plan["train"], plan["train_control"]) == (1, 2)
    assert not plan.keys() & {"render", "features", "split"}
    run = copy.snakemake(*wanted)
    assert run.returncode == 0, run.stdout
    assert hashlib.sha256(before.read_bytes()).hexdigest() != without
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
            drawn = file["mel"][:]
            assert "audio" not in file
            names.append(file["id"].asstr()[:].tolist())
            made = np.asarray(file["values"])
        assert (
            len(np.unique(made, axis=0)) == len(names[-1]) >= 0.9 * DRAWN
        )  # but for those that sound like one held out
        assert not set(names[-1]) & set(split["id"])
        held_out = split.loc[(split["fold"] == fold) & (split["part"] != "train"), "id"]
        assert min(np.abs(drawn - mel[name]).mean((1, 2)).min() for name in held_out) > 0.05
    assert not set(names[0]) & set(names[1])
    with h5py.File(files[0]) as file:
        drawn = file["mel"][:]
    known = load(before.parents[1] / "nearest_people" / "checkpoint.pt")[0].mel.numpy()
    people = split.loc[(split["fold"] == 0) & (split["part"] == "train"), "id"]
    assert {one.tobytes() for one in known} == {mel[name].tobytes() for name in people}
    assert not {one.tobytes() for one in known} & {one.tobytes() for one in drawn}
    table = pd.read_csv(copy.folder / scores, dtype={"item": str})
    assert set(table["item"]) <= set(split.loc[split["part"] == "test", "id"])
    assert copy.planned(*wanted) == {}


def test_what_is_fitted_to_presets_of_people_needs_no_drawn_ones(copy: Project):
    with_drawn(copy, DRAWN)
    plan = copy.planned("results/tiny/amsynth16/grouped/fold0/nearest_people/scores.csv")
    assert (plan["train_control"], plan["infer_control"]) == (1, 1)
    assert "sample" not in plan


def test_a_million_drawn_presets_are_some_hundred_jobs(copy: Project):
    with_drawn(copy, 1_000_000)
    plan = copy.planned()
    assert plan["sample"] == 2 * 200
    with_drawn(copy, 5001)
    assert copy.planned()["sample"] == 2 * 2
