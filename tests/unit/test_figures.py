"""Figures are drawn from tables, and are the same file each time."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flowsynth import figures
from flowsynth.metrics import registry

MODELS = ["oracle", "mean", "cnn"]


@pytest.fixture
def scores() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        ("quick", "amsynth16", "grouped", fold, model, str(item), 0, metric, 0.0 if model == "oracle" else rng.random())
        for fold in range(2)
        for model in MODELS
        for item in range(5)
        for metric in registry()
    ]
    columns = ["budget", "dataset", "split", "fold", "model", "item", "sample", "metric", "value"]
    return pd.DataFrame(rows, columns=columns)


def test_a_panel_for_each_metric_and_a_dot_for_each_fold(scores: pd.DataFrame):
    figure = figures.scores(scores, MODELS, "title")
    assert len(figure.axes) == len(registry())
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["mean", "cnn"]
    dots = [x for collection in figure.axes[0].collections for x in collection.get_offsets()[:, 0]]
    name = next(iter(registry()))
    shown = scores[(scores["metric"] == name) & (scores["model"] != "oracle")]
    assert sorted(dots) == pytest.approx(sorted(shown.groupby(["model", "fold"])["value"].mean()))


@pytest.mark.parametrize("kind", ["pdf", "png"])
def test_the_same_table_gives_the_same_file(scores: pd.DataFrame, tmp_path: Path, kind: str):
    for name in ("a", "b"):
        figures.save(figures.scores(scores, MODELS, "title"), tmp_path / f"{name}.{kind}")
    first = (tmp_path / f"a.{kind}").read_bytes()
    assert first == (tmp_path / f"b.{kind}").read_bytes()
    assert b"flowsynth" in first
