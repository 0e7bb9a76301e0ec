"""A diverging training does not stop the others, and is reported."""

import pandas as pd
from project import TINY, Project

SCORES = "results/tiny/amsynth16/tables/scores.md"


def test_diverging_training_is_reported_and_others_continue(copy: Project):
    source = copy.folder / "flowsynth" / "models" / "regression" / "mlp.py"
    original = source.read_text()
    # in the second fold only, which is recognised by the mean of its training set
    mean = _mean_of_second_fold(copy)
    diverging = original.replace(
        '"loss": ', f'"loss": (float("nan") if abs(float(self.mel_mean) - {mean!r}) < 1e-6 else 1) * '
    )
    assert diverging != original
    source.write_text(diverging)
    copy.configure(models=[*TINY["models"], "mlp"])
    run = copy.snakemake(SCORES)
    assert run.returncode != 0
    assert "1 of 8 scores" in run.stdout
    failures = pd.read_csv(copy.results / "tables" / "incomplete.csv")
    assert failures[["model", "fold", "stage"]].to_numpy().tolist() == [["mlp", 1, "train"]]
    assert "fold1/mlp" in failures["reason"][0]
    assert "loss = nan" in failures["reason"][0]
    assert failures["reason"][0] in run.stdout.replace("error: ", "FloatingPointError: ")
    text = (copy.results / "tables" / "incomplete.md").read_text()
    assert "mlp (1 of 2 folds)" in text
    assert "| cnn " in text  # a row of the table of scores
    # once fixed, the run resumes and completes
    source.write_text(original)
    run = copy.snakemake(SCORES)
    assert run.returncode == 0, run.stdout
    assert not list((copy.results / "tables").glob("incomplete*"))
    assert "mlp" in (copy.results / "tables" / "scores.md").read_text()


def _mean_of_second_fold(project: Project) -> float:
    import torch

    state = torch.load(project.results / "grouped" / "fold1" / "cnn" / "checkpoint.pt", weights_only=True)["state"]
    return float(state["mel_mean"])
