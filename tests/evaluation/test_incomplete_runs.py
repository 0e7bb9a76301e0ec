"""What is missing is told with its reason; what was not asked for is not."""

from pathlib import Path

import pandas as pd
from test_summary import scores

from flowsynth.evaluation import incomplete_runs

MODELS = ["mean", "mlp", "cnn"]


def place(folder: Path, fold: int, model: str, log: str | None = None) -> None:
    """A model that was scored, or that failed and left a log."""
    where = Path("grouped") / f"fold{fold}" / model
    path = folder / "logs" / where / "train.log" if log else folder / where / "scores.csv"
    path.parent.mkdir(parents=True)
    if log:
        path.write_text(log)
    else:
        table = scores(model, [{"a": 1.0}])
        table.assign(fold=fold).to_csv(path, index=False)


def filled(folder: Path) -> None:
    place(folder, 0, "mean")
    place(folder, 1, "mean")
    place(folder, 0, "mlp")
    place(folder, 1, "mlp", "epoch 1\nTraceback (most recent call last):\n  x\nFloatingPointError: loss = nan | inf\n")
    place(folder, 0, "cnn", "epoch 1 of 3\n")
    place(folder, 0, "forgotten")  # scored once, not asked for now


def test_what_is_missing_is_listed_with_the_job_that_failed(tmp_path: Path):
    filled(tmp_path)
    told = incomplete_runs.report(tmp_path, "grouped", 2, MODELS, failed=True)
    assert told.startswith("3 of 6 scores are missing")
    table = pd.read_csv(tmp_path / "tables" / "incomplete.csv", keep_default_na=False)
    assert table.to_numpy().tolist() == [
        ["mlp", 1, "train", "FloatingPointError: loss = nan | inf"],
        ["cnn", 0, "", "was not run to its end"],
        ["cnn", 1, "", "was not run to its end"],
    ]
    text = (tmp_path / "tables" / "incomplete.md").read_text()
    assert r"loss = nan \| inf" in text
    assert "mlp (1 of 2 folds)" in text
    assert "forgotten" not in text


def test_a_run_of_a_part_that_succeeds_says_nothing(tmp_path: Path):
    filled(tmp_path)
    assert incomplete_runs.report(tmp_path, "grouped", 2, MODELS, failed=False) is None
    assert not (tmp_path / "tables").exists()


def test_without_any_score_there_is_no_table(tmp_path: Path):
    place(tmp_path, 0, "mlp", "Traceback\nOSError: disk full\n")
    assert incomplete_runs.report(tmp_path, "grouped", 1, ["mlp"], failed=True) is None


def test_the_table_goes_when_nothing_is_missing(tmp_path: Path):
    filled(tmp_path)
    incomplete_runs.report(tmp_path, "grouped", 2, MODELS, failed=True)
    assert incomplete_runs.report(tmp_path, "grouped", 1, ["mean", "mlp"], failed=False) is None
    assert list((tmp_path / "tables").iterdir()) == []
