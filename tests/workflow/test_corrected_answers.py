"""A proxy is told by the workflow what its answers sounded like."""

import h5py
from project import Project


def test_a_corrected_proxy_is_trained_told_and_scored(copy: Project):
    folder = "results/tiny/amsynth16/grouped/fold0"
    target = f"{folder}/proxy_corrected6/scores.csv"
    plan = copy.planned(target)
    assert plan == dict.fromkeys(["train", "infer_uncorrected", "correct", "score"], 1)
    run = copy.snakemake(target)
    assert run.returncode == 0, run.stdout
    with h5py.File(copy.folder / folder / "proxy_corrected6" / "candidates.h5") as file:
        first = file["estimates"][:]
    with h5py.File(copy.folder / folder / "proxy_corrected6" / "predictions.h5") as file:
        found = file["estimates"][:]
    assert first.shape[1:] == (2, 16)
    assert found.shape == (len(first), 1, 16)
    assert (found != first[:, :1]).any()
    assert copy.planned(target) == {}


def test_what_a_proxy_answers_are_no_draws_that_could_be_calibrated(copy: Project):
    copy.configure(models=["npe_nsf_best4", "proxy_best4"])
    assert copy.planned("results/tiny/amsynth16/tables/calibration.csv")["infer_candidates"] == 2  # of two folds
