"""A model that can't be trained takes nothing else with it, and is not forgotten."""

import pandas as pd
from project import TINY, Project

SCORES = "results/tiny/amsynth16/tables/scores.md"


def test_a_training_that_diverges_is_missing_in_the_table_and_the_rest_goes_on(copy: Project):
    source = copy.folder / "flowsynth" / "models" / "regression" / "mlp.py"
    whole = source.read_text()
    # in the second fold alone, whose parts are told from the first one's by their mean
    mean = _mean_of_second_fold(copy)
    broken = whole.replace(
        '"loss": ', f'"loss": (float("nan") if abs(float(self.mel_mean) - {mean!r}) < 1e-6 else 1) * '
    )
    assert broken != whole
    source.write_text(broken)
    copy.configure(models=[*TINY["models"], "mlp"])
    run = copy.snakemake(SCORES)
    assert run.returncode != 0
    assert "1 of 8 scores are missing" in run.stdout
    lost = pd.read_csv(copy.results / "tables" / "incomplete.csv")
    assert lost[["model", "fold", "stage"]].to_numpy().tolist() == [["mlp", 1, "train"]]
    assert "fold1/mlp: the train loss in epoch 0 is not finite: loss = nan" in lost["reason"][0]
    assert lost["reason"][0] in run.stdout.replace("error: ", "FloatingPointError: ")
    text = (copy.results / "tables" / "incomplete.md").read_text()
    assert "mlp (1 of 2 folds)" in text
    assert "cnn" in text.split("What there is")[1]
    # mended, the run goes on, and there is nothing missing
    source.write_text(whole)
    run = copy.snakemake(SCORES)
    assert run.returncode == 0, run.stdout
    assert not list((copy.results / "tables").glob("incomplete*"))
    assert "mlp" in (copy.results / "tables" / "scores.md").read_text()


def _mean_of_second_fold(project: Project) -> float:
    import torch

    state = torch.load(project.results / "grouped" / "fold1" / "cnn" / "checkpoint.pt", weights_only=True)["state"]
    return float(state["mel_mean"])
