"""Missing scores are reported with the reason; models that were not requested are not."""

from pathlib import Path

import pandas as pd
from test_summary import scores

from flowsynth.evaluation import incomplete_runs

MODELS = ["mean", "mlp", "cnn"]


def write_job(folder: Path, fold: int, model: str, log: str | None = None) -> None:
    """Write the scores of a model, or the log of a failed training."""
    subfolder = Path("grouped") / f"fold{fold}" / model
    path = folder / "logs" / subfolder / "train.log" if log else folder / subfolder / "scores.csv"
    path.parent.mkdir(parents=True)
    if log:
        path.write_text(log)
    else:
        table = scores(model, [{"a": 1.0}])
        table.assign(fold=fold).to_csv(path, index=False)


def write_failed_run(folder: Path) -> None:
    write_job(folder, 0, "mean")
    write_job(folder, 1, "mean")
    write_job(folder, 0, "mlp")
    write_job(
        folder, 1, "mlp", "epoch 1\nTraceback (most recent call last):\n  x\nFloatingPointError: loss = nan | inf\n"
    )
    write_job(folder, 0, "cnn", "epoch 1 of 3\n")
    write_job(folder, 0, "forgotten")  # scored earlier, not requested now


def test_missing_scores_are_listed_with_the_failed_job(tmp_path: Path):
    write_failed_run(tmp_path)
    message = incomplete_runs.report_missing(tmp_path, "grouped", 2, MODELS, failed=True)
    assert message.startswith("3 of 6 scores are missing")
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


def test_successful_partial_run_reports_nothing(tmp_path: Path):
    write_failed_run(tmp_path)
    assert incomplete_runs.report_missing(tmp_path, "grouped", 2, MODELS, failed=False) is None
    assert not (tmp_path / "tables").exists()


def test_no_table_without_any_score(tmp_path: Path):
    write_job(tmp_path, 0, "mlp", "Traceback\nOSError: disk full\n")
    assert incomplete_runs.report_missing(tmp_path, "grouped", 1, ["mlp"], failed=True) is None


def test_table_is_removed_when_nothing_is_missing(tmp_path: Path):
    write_failed_run(tmp_path)
    incomplete_runs.report_missing(tmp_path, "grouped", 2, MODELS, failed=True)
    assert incomplete_runs.report_missing(tmp_path, "grouped", 1, ["mean", "mlp"], failed=False) is None
    assert list((tmp_path / "tables").iterdir()) == []
