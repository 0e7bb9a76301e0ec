"""Columns of systems in tables of scores: stored ones are kept, older tables get them from names."""

from pathlib import Path

import pandas as pd
import pytest
from test_summary import scores

from flowsynth.evaluation import score_tables
from flowsynth.evaluation.score_tables import KEY, SCORE_COLUMNS, SYSTEM_COLUMNS, mean_over_samples, with_systems
from flowsynth.evaluation.summary import gather

EXPECTED = {  # base model, is control, renderings, training seed
    "oracle": ("oracle", True, 0, 1),
    "nearest_refined80": ("nearest", True, 80, 1),
    "npe_nsf_seed3_best16_refined64": ("npe_nsf", False, 80, 3),
    "search": ("search", True, None, None),
    "a_prediction_file": ("a_prediction_file", False, None, None),
}


def write(folder: Path, table: pd.DataFrame, name: str = "scores.csv") -> Path:
    table.to_csv(folder / name, index=False)
    return folder / name


def test_older_tables_get_the_columns_from_names(tmp_path: Path):
    older = pd.DataFrame({"model": [*EXPECTED, "oracle"], "item": "007", "value": 1.0})
    table = score_tables.read(write(tmp_path, older))
    pd.testing.assert_frame_equal(table[list(older)], older)
    rows = score_tables.systems(table)
    assert {name: tuple(None if pd.isna(v) else v for v in row) for name, row in rows.T.items()} == EXPECTED


def test_stored_columns_are_read_without_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whatever this version takes the names for, and whichever packages are installed."""
    stored = score_tables.with_systems(pd.DataFrame({"model": list(EXPECTED)})).assign(is_control=True)
    path = write(tmp_path, stored)
    monkeypatch.setattr(score_tables, "System", None)
    monkeypatch.setattr(score_tables, "kind", None)
    pd.testing.assert_frame_equal(score_tables.read(path), stored)


def test_a_table_without_models_is_named(tmp_path: Path):
    path = write(tmp_path, pd.DataFrame({"metric": ["rms"], "value": [1.0]}))
    with pytest.raises(ValueError, match=r"got \['metric', 'value'\], expected model .*scores\.csv"):
        score_tables.read(path)


def test_older_and_newer_files_are_gathered(tmp_path: Path):
    newer, older = scores("cnn", [{"a": 1.0}]), scores("nearest_refined8", [{"a": 2.0}])[[*KEY, "value"]]
    table = gather([write(tmp_path, newer, "newer.csv"), write(tmp_path, older, "older.csv")])
    assert table[list(SYSTEM_COLUMNS)].notna().all(axis=None)
    assert score_tables.systems(table)["renderings"].to_dict() == {"cnn": 0, "nearest_refined8": 8}


def test_the_mean_over_samples_leaves_single_ones_as_they_are():
    rows = [(0, "cnn", "a", 0, "log_mel_l1", 0.3), (0, "npe_nsf", "a", 0, "log_mel_l1", 0.2)]
    single = with_systems(pd.DataFrame(rows, columns=["fold", "model", "item", "sample", "metric", "value"]))
    single = single.assign(budget="b", dataset="d", split="s")[list(SCORE_COLUMNS)]
    assert mean_over_samples(single) is single
    both = pd.concat([single, single[single["model"] == "npe_nsf"].assign(sample=1, value=0.6)])
    means = mean_over_samples(both)
    assert list(means.columns) == list(SCORE_COLUMNS)
    assert means.set_index("model")["value"].to_dict() == pytest.approx({"cnn": 0.3, "npe_nsf": 0.4})
    assert set(means["sample"]) == {0}
