"""Leaderboard: ranking of systems, and error analysis."""

import gzip
import re
from pathlib import Path

import pytest
from frozen import complete_baselines
from scored import SYSTEMS, scores

from flowsynth.leaderboard.baselines import FROZEN_COLUMNS, FROZEN_KEY, SCORES
from flowsynth.leaderboard.standings import describe_errors, format_table, markdown, page_table, standings


def test_systems_are_ranked_with_their_change_from_nearest():
    table = standings(scores(SYSTEMS), 1)
    assert table["system"].iloc[:3].tolist() == ["proxy_best16", "npe_nsf_best16", "mdn_best16"]
    assert "oracle" not in set(table["system"])
    row = table.set_index("system").loc["proxy_best16"]
    assert row["renderings"] == 16
    assert row["low"] < row["mean"] < row["high"]
    assert row["change"] == pytest.approx(-0.5, abs=0.05)
    assert row["change_low"] < row["change"] < row["change_high"] < 0
    assert table.set_index("system").loc["nearest", ["change", "change_low", "change_high"]].tolist() == [0, 0, 0]


def test_controls_and_submissions_are_marked():
    table = format_table(standings(scores(SYSTEMS | {"ours": 0.0}), 1))
    assert {"nearest (control)", "ours (submitted)", "cnn"} < set(table["System"])
    renderings = table.set_index("System")["Renderings per sound"]
    assert renderings[["ours (submitted)", "cnn", "mdn_best16"]].tolist() == ["unknown", "0", "16"]
    assert table.set_index("System").loc["nearest (control)", "Relative to nearest"] == ""
    assert re.fullmatch(r"-\d+% \(-\d+% to -\d+%\)", table["Relative to nearest"].iloc[0])


def test_error_analysis_finds_few_sounds_with_most_of_the_error():
    frame = scores({"oracle": 0, "nearest": 0, "proxy_best16": 0}).query(
        "metric == 'log_mel_l1' and fold < 2 and item < '010'"
    )
    values = frame["model"].map({"oracle": 0.0, "nearest": 0.4, "proxy_best16": 0.1})
    failures = (frame["fold"] == 0) & (frame["item"] == "003"), (frame["fold"] == 1) & (frame["item"] == "007")
    values[(frame["model"] == "proxy_best16") & (failures[0] | failures[1])] = 0.9
    values[(frame["model"] == "nearest") & failures[1]] = 0.8
    distribution, bound = describe_errors(frame.assign(value=values), "proxy_best16")
    # medians of both, the share of the sounds and of the error, and means over those sounds
    assert re.findall(r"\d+%|\d\.\d+", distribution) == ["0.100", "0.400", "10%", "50%", "0.900", "0.600"]
    assert re.findall(r"\d\.\d+", bound) == ["0.150"]  # 18 of 0.1, one of 0.4, one of 0.8


@pytest.mark.parametrize("columns", [FROZEN_COLUMNS, [*FROZEN_KEY, "value"]], ids=["newer", "older"])
def test_leaderboard_is_read_from_the_baselines(tmp_path: Path, columns: list[str]):
    table = scores({"oracle": -0.4, "nearest": 0, "cnn": 0.1, "ours": 0.2})
    (tmp_path / SCORES).write_bytes(gzip.compress(table[columns].to_csv(index=False).encode()))
    settings = {
        "budget": "cpu",
        "dataset": "amsynth16",
        "split": "grouped",
        "seed": 1,
        "folds": 3,
        "sampled": 10000,
        "epochs": 8,
        "passes": {"proxy": 4},
    }
    added = {"ours": {"file": True}, "cnn": {"file": False}}
    complete_baselines(tmp_path, maker=settings, folds=[0, 2], added=added)
    text = markdown([tmp_path], {})
    assert "| cnn " in text
    assert "| ours (submitted) " in text
    assert "2 of 3 folds" in text
    assert "10,000 synthetic presets" in text
    assert "8 epochs (4 times as many passes over them for `proxy`)" in text
    caption, page = page_table(tmp_path)
    assert "budget cpu" in caption
    assert page["System"].tolist() == ["nearest (control)", "cnn", "ours (submitted)"]
