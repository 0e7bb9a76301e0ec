"""Surrogate-guided refinement of the proxy in the workflow."""

import h5py
from project import Project

from flowsynth.core import hdf5


def test_corrected_proxy_is_trained_refined_and_scored(copy: Project):
    folder = "results/tiny/amsynth16/grouped/fold0"
    target = f"{folder}/proxy_corrected6/scores.csv"
    plan = copy.planned(target)
    assert plan == dict.fromkeys(["train", "predict_initial_candidates", "surrogate_search", "score"], 1)
    run = copy.snakemake(target)
    assert run.returncode == 0, run.stdout
    with h5py.File(copy.folder / folder / "proxy_corrected6" / "candidates.h5") as file:
        candidates = file["estimates"][:]
    with h5py.File(copy.folder / folder / "proxy_corrected6" / "predictions.h5") as file:
        predictions = file["estimates"][:]
    assert candidates.shape[1:] == (2, 16)
    assert predictions.shape == (len(candidates), 1, 16)
    assert (predictions != candidates[:, :1]).any()
    assert copy.planned(target) == {}


def test_a_density_proposes_the_starts_of_a_surrogate_search(copy: Project):
    folder = "results/tiny/amsynth16/grouped/fold0"
    target = f"{folder}/npe_nsf_corrected6/scores.csv"
    assert copy.planned(target) == {"train": 2, "predict_initial_candidates": 1, "surrogate_search": 1, "score": 1}
    run = copy.snakemake(target)
    assert run.returncode == 0, run.stdout
    with h5py.File(copy.folder / folder / "npe_nsf_corrected6" / "candidates.h5") as file:
        draws = file["estimates"][:]
    with h5py.File(copy.folder / folder / "npe_nsf_corrected6" / "predictions.h5") as file:
        predictions, checkpoint = file["estimates"][:], hdf5.settings(file)["checkpoint"]
    assert draws.shape[1:] == (256, 16)
    assert predictions.shape == (len(draws), 1, 16)
    assert checkpoint.endswith("fold0/proxy/checkpoint.pt")


def test_calibration_excludes_the_proxy(copy: Project):
    copy.configure(models=["npe_nsf_best4", "proxy_best4"])
    assert copy.planned("results/tiny/amsynth16/tables/calibration.csv")["predict_candidates"] == 2  # one per fold
