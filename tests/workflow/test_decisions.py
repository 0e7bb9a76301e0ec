"""Decision rules in the workflow: one preset from draws, without renderings."""

import h5py
import numpy as np
import pandas as pd
from project import Project


def test_draws_of_a_density_are_decided_and_scored(copy: Project):
    folder = "results/tiny/amsynth16/grouped/fold0"
    systems = ("npe_nsf_median8", "npe_nsf_mode8", "npe_nsf_ranked8")
    targets = [f"{folder}/{name}/scores.csv" for name in systems]
    assert copy.planned(*targets) == {"train": 2, "decide": 2, "rank": 1, "score": 3}
    candidates = f"{folder}/npe_nsf_best8/candidates.h5"
    run = copy.snakemake(*targets, candidates)
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
    for name in systems[1:]:
        assert (decided[name] == draws).all(axis=2).any(axis=1).all()
    assert copy.planned(*targets) == {}
