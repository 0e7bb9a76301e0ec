"""How systems stand, and what is said of flows."""

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flowsynth.baselines import KEPT, SCORES
from flowsynth.frozen import MANIFEST
from flowsynth.leaderboard import findings, laid_out, limits, markdown, of_page, standings

METRICS = ("log_mel_l1", "spectral_convergence", "mel_mse", "parameter_mse")


def scores(shifts: dict[str, float], noise: float = 0.02) -> pd.DataFrame:
    """Scores of 3 folds and 100 items that differ by a shift and a little noise."""
    rng = np.random.default_rng(0)
    base = rng.gamma(4.0, 0.1, (3, 100))
    rows = [
        ("cpu", "amsynth16", "grouped", fold, model, f"{item:03d}", 0, metric, value)
        for model, shift in shifts.items()
        for metric in METRICS
        for fold, line in enumerate(base + shift + noise * rng.normal(size=base.shape))
        for item, value in enumerate(line)
    ]
    columns = ["budget", "dataset", "split", "fold", "model", "item", "sample", "metric", "value"]
    return pd.DataFrame(rows, columns=columns)


SYSTEMS = {
    "oracle": -0.4, "nearest": 0.0, "cnn": 0.4, "mlp": 0.5, "flow_reg": 0.5, "flow_reg_published": 0.5, "npe_nsf": 0.3,
    "npe_nsf_best16": -0.1, "mdn_best16": -0.05, "proxy_best16": -0.2,
}  # fmt: skip


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


def test_what_differs_is_told_from_what_does_not():
    said = findings(scores(SYSTEMS), 1)
    assert len(said) == 11  # there is no flow matching in it
    assert "`flow_reg` " in said[0]
    assert "**no difference**" in said[0]
    assert "`npe_nsf` " in said[1]
    assert "`cnn` " in said[1]
    assert "**better**" in said[1]
    worse = findings(scores(SYSTEMS | {"npe_nsf": 0.6, "flow_reg": 0.7}), 1)
    assert "The best flow with one draw" in worse[1]
    assert "`proxy_best16` " in said[5]
    assert "`proxy_best16` " in said[6]
    assert "`cnn` " in said[6]
    assert "`cnn` " in said[7]
    assert "in the median of spectral convergence: **better** (95 % interval of the difference -0." in said[7]
    corrected = findings(scores(SYSTEMS | {"proxy_corrected16": -0.3, "npe_nsf_refined16": -0.25}), 1)
    assert (
        "listen to 16 of its answers, and the best of the paper's models without one: `npe_nsf_best16` " in corrected[2]
    )
    assert "listen to 16 renderings, and that flow: `proxy_corrected16` " in corrected[5]
    assert "**worse**" in worse[1]


def test_where_interval_and_ranks_do_not_agree_it_is_said():
    """A tenth of the sounds is far worse, and most are a little better."""
    given = scores({"nearest": 0.0, "flow_reg_published": 0.5, "flow_reg": 0.5}, noise=0)
    of = given["model"] == "flow_reg"
    share = given.loc[of, "item"].astype(int) % 10
    given.loc[of, "value"] += np.select([share == 0, share < 4], [1.0, 0.05], -0.05)
    said = findings(given, 1)[0]
    assert re.search(
        r"\*\*no difference\*\* \(\+\d+%; 95 % interval of the difference 0\.\d+ to 0\.\d+, but p = 0\.\d+ by", said
    )
    assert ", but p" not in findings(scores(SYSTEMS), 1)[0]


def test_what_rounds_to_nothing_has_no_sign():
    said = findings(scores({"nearest": 0.0, "flow_reg": 0.5, "flow_reg_published": 0.501}, noise=1e-4), 1)[0]
    assert "(0%; 95 % interval" in said


def test_a_few_sounds_that_carry_the_mean_are_told_from_the_others():
    index = pd.MultiIndex.from_product([[0, 1], range(10)], names=["fold", "item"])
    values = pd.DataFrame({"nearest": 0.4, "proxy_best16": 0.1}, index=index)
    values.loc[[(0, 3), (1, 7)], "proxy_best16"] = 0.9
    values.loc[(1, 7), "nearest"] = 0.8
    spread, chosen = limits(values, "proxy_best16")
    assert "`proxy_best16` comes within 0.100, `nearest` within 0.400" in spread
    assert (
        "the 10% that are worst for it carry 50% of its log-mel L1, 0.900 each, and have 0.600 with `nearest`" in spread
    )
    assert "would have 0.150" in chosen  # 18 of 0.1, one of 0.4, one of 0.8


def test_few_systems_make_few_sentences():
    assert findings(scores({"oracle": 0, "nearest": 0, "cnn": 0.1}), 1) == []


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
    text = markdown(tmp_path)
    assert "| cnn " in text
    assert "| ours (submitted) " in text
    assert "2 of 3 folds, up to 10,000 drawn presets" in text
    assert "8 epochs, of `proxy` 4 times as many; 95 % intervals" in text
    caption, shown = of_page(tmp_path)
    assert "budget cpu" in caption
    assert shown["System"].tolist() == ["nearest (control)", "cnn", "ours (submitted)"]
