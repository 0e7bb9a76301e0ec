"""Decision rules in the workflow: one preset from draws, without renderings."""

import h5py
import numpy as np
import pandas as pd
from project import Project


def test_draws_of_a_density_are_decided_and_scored(copy: Project):
    copy.configure(models=["oracle", "npe_nsf", "proxy"])
    folder = "results/tiny/amsynth16/grouped/fold0"
    systems = ("npe_nsf_median8", "npe_nsf_mode8", "npe_nsf_ranked8", "npe_nsf_descended8")
    targets = [f"{folder}/{name}/scores.csv" for name in systems]
    assert copy.planned(*targets) == {"train": 2, "decide": 2, "decide_by_surrogate": 2, "score": 4}
    candidates = f"{folder}/npe_nsf_best8/candidates.h5"
    study = f"{folder}/decisions.csv"
    run = copy.snakemake(*targets, candidates, study)
    assert run.returncode == 0, run.stdout
    with h5py.File(copy.folder / candidates) as file:
        ids, draws = file["id"].asstr()[:].tolist(), file["estimates"][:]
    decided = {}
    for name in systems:
        with h5py.File(copy.folder / folder / name / "predictions.h5") as file:
            assert file["id"].asstr()[:].tolist() == ids
            decided[name] = file["estimates"][:]
        assert decided[name].shape == (len(ids), 1, 16)
        scores = pd.read_csv(copy.folder / folder / name / "scores.csv")
        assert set(scores["renderings"]) == {0}
        assert set(scores["base_model"]) == {"npe_nsf"}
        assert scores["value"].notna().any()
    # the same draws as those that best of 8 renders
    assert np.allclose(decided["npe_nsf_median8"][:, 0], np.median(draws, axis=1), atol=1e-6)
    for name in systems[1:3]:
        assert (decided[name] == draws).all(axis=2).any(axis=1).all()
    assert copy.planned(*targets) == {}

    # the study reads validation sounds only, and has all rules
    table = pd.read_csv(copy.folder / study, dtype={"item": str})
    split = pd.read_csv(copy.results / "split" / "grouped.csv", dtype={"id": str})
    assert set(table["item"]) == set(split.loc[(split["fold"] == 0) & (split["part"] == "valid"), "id"])
    assert set(table["model"]) == {"npe_nsf"}
    rules = table.drop_duplicates("rule").set_index("rule")["draws"].to_dict()
    assert rules == {"draw": 8, "mean": 64, "median": 64, "medoid": 64, "mode": 64, "ranked": 256, "descended": 256}
    assert (table["log_mel_l1"] > 0).all()
