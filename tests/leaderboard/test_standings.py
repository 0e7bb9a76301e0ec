"""How systems stand, and what keeps the best from being better."""

import gzip
import json
import re
from pathlib import Path

import pytest
from scored import SYSTEMS, scores

from flowsynth.leaderboard.baselines import KEPT, SCORES
from flowsynth.leaderboard.manifest import MANIFEST
from flowsynth.leaderboard.standings import laid_out, limits, markdown, of_page, standings


def test_the_best_stand_first_with_their_share_of_the_nearest():
    table = standings(scores(SYSTEMS), 1)
    assert table["system"].iloc[:3].tolist() == ["proxy_best16", "npe_nsf_best16", "mdn_best16"]
    assert "oracle" not in set(table["system"])
    row = table.set_index("system").loc["proxy_best16"]
    assert row["renderings"] == 16
    assert row["low"] < row["mean"] < row["high"]
    assert row["change"] == pytest.approx(-0.5, abs=0.05)
    assert row["change_low"] < row["change"] < row["change_high"] < 0
    assert table.set_index("system").loc["nearest", ["change", "change_low", "change_high"]].tolist() == [0, 0, 0]


def test_controls_and_submissions_are_said_to_be_such():
    shown = laid_out(standings(scores(SYSTEMS | {"ours": 0.0}), 1), ["ours"])
    assert {"nearest (control)", "ours (submitted)", "cnn"} < set(shown["System"])
    assert shown.set_index("System").loc["nearest (control)", "Against nearest"] == ""
    assert re.fullmatch(r"-\d+% \(-\d+% to -\d+%\)", shown["Against nearest"].iloc[0])


def test_a_few_sounds_that_carry_the_mean_are_told_from_the_others():
    given = scores({"oracle": 0, "nearest": 0, "proxy_best16": 0}).query(
        "metric == 'log_mel_l1' and fold < 2 and item < '010'"
    )
    values = given["model"].map({"oracle": 0.0, "nearest": 0.4, "proxy_best16": 0.1})
    fails = (given["fold"] == 0) & (given["item"] == "003"), (given["fold"] == 1) & (given["item"] == "007")
    values[(given["model"] == "proxy_best16") & (fails[0] | fails[1])] = 0.9
    values[(given["model"] == "nearest") & fails[1]] = 0.8
    spread, chosen = limits(given.assign(value=values), "proxy_best16")
    assert "`proxy_best16` comes within 0.100, `nearest` within 0.400" in spread
    assert (
        "the 10% that are worst for it carry 50% of its log-mel L1, 0.900 each, and have 0.600 with `nearest`" in spread
    )
    assert "would have 0.150" in chosen  # 18 of 0.1, one of 0.4, one of 0.8


def test_it_is_read_from_the_baselines(tmp_path: Path):
    table = scores({"oracle": -0.4, "nearest": 0, "cnn": 0.1, "ours": 0.2})
    (tmp_path / SCORES).write_bytes(gzip.compress(table[KEPT].to_csv(index=False).encode()))
    made = {
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
    (tmp_path / MANIFEST).write_text(json.dumps({"maker": made, "folds": [0, 2], "added": added}))
    text = markdown([tmp_path], {})
    assert "| cnn " in text
    assert "| ours (submitted) " in text
    assert "2 of 3 folds, up to 10,000 drawn presets" in text
    assert "8 epochs (4 times as many passes over them for `proxy`); 95 % intervals" in text
    caption, shown = of_page(tmp_path)
    assert "budget cpu" in caption
    assert shown["System"].tolist() == ["nearest (control)", "cnn", "ours (submitted)"]
