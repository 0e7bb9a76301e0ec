"""Scores against the number of drawn presets, or of epochs."""

import numpy as np
import pandas as pd
import pytest

from flowsynth.evaluation.scaling import COLUMNS, markdown, scores_by_amount
from flowsynth.evaluation.score_tables import with_systems


def scores(shift: float) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    rows = [
        (fold, model, str(item), metric, shift + offset + rng.normal(0, 0.1))
        for fold in range(2)
        for offset, model in enumerate(("mean", "cnn"))
        for item in range(30)
        for metric in ("log_mel_l1", "parameter_mse")
    ]
    return with_systems(pd.DataFrame(rows, columns=["fold", "model", "item", "metric", "value"]))


def test_means_by_amount_are_within_their_intervals():
    table = scores_by_amount({0: scores(2.0), 10000: scores(1.0)}, 1)
    assert list(table.columns) == COLUMNS
    assert len(table) == 2 * 2 * 2
    assert ((table["low"] < table["mean"]) & (table["mean"] < table["high"])).all()
    assert (table["items"] == 60).all()
    assert (table["folds"] == 2).all()
    assert table.groupby("model")["is_control"].unique().map(list).to_dict() == {"mean": [True], "cnn": [False]}
    means = table.set_index(["amount", "model", "metric"])["mean"]
    assert means[0, "cnn", "log_mel_l1"] == pytest.approx(3, abs=0.1)
    assert means[10000, "mean", "parameter_mse"] == pytest.approx(1, abs=0.1)
    widths = table["high"] - table["low"]
    assert (widths < 0.2).all()


def test_markdown_has_a_column_for_each_amount():
    text = markdown(scores_by_amount({0: scores(2.0), 10000: scores(1.0)}, 1), "drawn")
    assert text.startswith("Log-mel L1 with its 95 % interval over 2 folds and their sounds, one training each.\n\n")
    head, _, *rows = text.split("\n\n")[1].strip().splitlines()
    assert [cell.strip() for cell in head.strip("|").split("|")] == ["Model", "0 drawn", "10,000 drawn"]
    assert [row.split("|")[1].strip() for row in rows] == ["cnn", "mean"]
