"""Out-of-domain scores by collection; search is compared on the searched sounds only."""

from pathlib import Path

import pandas as pd
import pytest

from flowsynth.evaluation import out_of_domain
from flowsynth.evaluation.incomplete_runs import report_missing_out_of_domain
from flowsynth.evaluation.out_of_domain import SUMMARY_COLUMNS, markdown, summarise
from flowsynth.evaluation.score_tables import KEY

MODELS = ["mean", "nearest", "cnn", "mlp", "search"]
L1 = {  # log-mel L1 of the sounds v1, v2 and h1
    "mean": [2.0, 4.0, 3.0],
    "nearest": [1.0, 2.0, 0.5],
    "cnn": [1.0, 3.0, 2.0],
    "mlp": [2.0, 1.0, 4.0],
    "search": [0.5],
}


def write(folder: Path, model: str, values: list[float], split: str = "grouped") -> Path:
    """Write the scores of a model, two samples per sound around the value, and the negative values as a similarity."""
    rows = [
        ("tiny", "amsynth16", split, 0, model, item, sample, metric, value + step if metric == "log_mel_l1" else -value)
        for item, value in zip(["v1", "v2", "h1"], values, strict=False)
        for sample, step in ((0, -0.1), (1, 0.1))
        for metric in ("log_mel_l1", "rms")
    ]
    path = folder / "outside" / split / "fold0" / model / "scores.csv"
    path.parent.mkdir(parents=True)
    pd.DataFrame(rows, columns=[*KEY, "value"]).to_csv(path, index=False)
    return path


def manifests(folder: Path) -> list[Path]:
    paths = []
    for name, ids in {"voices": ["v1", "v2", "bad"], "hums": ["h1"]}.items():
        paths.append(folder / "outside" / "sounds" / f"{name}.csv")
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame({"id": ids, "collection": name}).to_csv(paths[-1], index=False)
    return paths


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    return tmp_path / "tiny" / "amsynth16"


@pytest.fixture
def summary(run_folder: Path) -> pd.DataFrame:
    paths = [write(run_folder, model, values) for model, values in L1.items()]
    return summarise(out_of_domain.read_scores(paths, manifests(run_folder)), MODELS)


def row(summary: pd.DataFrame, sounds: str, collection: str, model: str, metric: str = "log_mel_l1") -> pd.Series:
    labels = {"sounds": sounds, "collection": collection, "model": model, "metric": metric}
    (index,) = summary.index[(summary[list(labels)] == pd.Series(labels)).all(axis=1)]
    return summary.loc[index]


def test_means_and_deviations_are_over_sounds(summary: pd.DataFrame):
    assert list(summary.columns) == SUMMARY_COLUMNS
    voices = row(summary, "all", "voices", "cnn")
    assert (voices["mean"], voices["median"], voices["items"]) == (2, 2, 2)
    assert voices["sd"] == pytest.approx(2**0.5)
    assert pd.isna(row(summary, "all", "hums", "cnn")["sd"])
    pooled = row(summary, "all", "every", "mlp")
    assert (pooled["mean"], pooled["items"]) == (pytest.approx(7 / 3), 3)


def test_best_model_is_no_control_and_follows_the_direction(summary: pd.DataFrame):
    best = summary[summary["best"] & (summary["sounds"] == "all")]
    models = best.set_index(["collection", "metric"])["model"].to_dict()
    assert models[("voices", "log_mel_l1")] == "mlp"
    assert models[("hums", "log_mel_l1")] == "cnn"
    assert models[("hums", "rms")] == "cnn"  # -2 is more than -4


def test_search_is_compared_on_the_searched_sounds_only(summary: pd.DataFrame):
    assert "search" not in set(summary.loc[summary["sounds"] == "all", "model"])
    searched = summary[summary["sounds"] == "searched"]
    assert set(searched["model"]) == set(MODELS)
    assert set(searched["items"]) == {1}
    assert row(summary, "searched", "voices", "nearest")["mean"] == 1
    assert row(summary, "searched", "voices", "mlp")["mean"] == 2
    assert list(dict.fromkeys(searched["model"])) == MODELS


def test_markdown_names_best_models_and_skipped_collections(summary: pd.DataFrame):
    text = markdown(summary, {"samples": ["sonic-pi-samples"]})
    assert "## voices: 2 sounds" in text
    assert "Best by Log-mel L1: mlp, 1.50, against nearest 1.50." in text
    assert "## Searched sounds of all collections: 1 sounds" in text
    assert "Best by Log-mel L1: cnn, 1.00, against nearest 1.00 and search 0.500." in text
    assert "Skipped: samples, as these packages are not installed: sonic-pi-samples." in text


def test_models_scored_on_other_sounds_are_rejected(run_folder: Path):
    paths = [write(run_folder, "mean", [1.0, 2.0]), write(run_folder, "cnn", [1.0])]
    with pytest.raises(ValueError, match="item v2"):
        out_of_domain.read_scores(paths, manifests(run_folder))


def test_failed_model_leaves_the_others_in_the_table(run_folder: Path):
    for model in ("mean", "cnn", "search"):
        write(run_folder, model, L1[model])
    manifests(run_folder)
    log = run_folder / "logs" / "outside" / "grouped" / "fold0" / "mlp" / "predict.log"
    log.parent.mkdir(parents=True)
    log.write_text("Traceback\nValueError: answers nan\n")
    models = ["mean", "cnn", "mlp", "search"]
    message = report_missing_out_of_domain(run_folder, "grouped", models, failed=True)
    page = run_folder / "tables" / "outside_incomplete.md"
    assert message.startswith("1 of 4 models")
    assert message.endswith(str(page))
    text = page.read_text()
    assert "ValueError: answers nan" in text
    assert "## voices: 2 sounds" in text
    assert "search" in text
    write(run_folder, "mlp", L1["mlp"])
    assert report_missing_out_of_domain(run_folder, "grouped", models, failed=False) is None
    assert not page.exists()


def test_no_table_without_a_model(run_folder: Path):
    write(run_folder, "search", [1.0])
    manifests(run_folder)
    assert report_missing_out_of_domain(run_folder, "grouped", ["mean", "search"], failed=True) is None
