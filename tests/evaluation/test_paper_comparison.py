"""The published table, and the comparison with it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flowsynth.evaluation.paper_comparison import markdown, with_published
from flowsynth.metrics import registry

DATA = Path(__file__).resolve().parents[2] / "workflow" / "data"
PUBLISHED = pd.read_csv(DATA / "esling2019.csv")
REASONS = pd.read_csv(DATA / "reasons.csv")


def scores(model: str, values: list[float]) -> pd.DataFrame:
    rows = [
        {"model": model, "metric": metric, "item": str(i), "value": value}
        for metric in registry()
        for i, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


def test_published_table_is_complete():
    assert PUBLISHED.groupby(["parameters", "sounds"]).size().to_dict() == {
        (16, "in_domain"): 27,
        (32, "in_domain"): 27,
        (32, "out_of_domain"): 18,
    }
    assert set(PUBLISHED["metric"]) <= set(registry())
    assert set(PUBLISHED["model"]) == set(REASONS["model"])
    best = PUBLISHED[(PUBLISHED["parameters"] == 16) & (PUBLISHED["metric"] == "mel_mse")].set_index("model")["mean"]
    assert best.idxmin() == "flow_reg"


def test_scores_are_joined_with_the_published_ones():
    table = with_published(scores("cnn", [1.0, 3.0]), PUBLISHED, REASONS, 16).set_index(["model", "metric"])
    row = table.loc["cnn", "mel_mse"]
    assert (row["published"], row["published_spread"]) == (6.329, 1.9)
    assert row["ours"] == 2
    assert row["spread"] == pytest.approx(np.sqrt(2))
    assert row["ratio"] == pytest.approx(2 / 6.329)
    assert np.isnan(table.loc["vae", "mel_mse"]["ours"])


@pytest.mark.parametrize(("ours", "published"), [(16, 16), (30, 32), (41, 32)])
def test_published_scores_of_the_nearest_size_are_used(ours: int, published: int):
    assert set(with_published(scores("cnn", [1.0, 2.0]), PUBLISHED, REASONS, ours)["parameters"]) == {published}


def test_markdown_marks_models_that_were_not_run():
    text = markdown(with_published(scores("cnn", [1.0, 3.0]), PUBLISHED, REASONS, 16))
    cnn, vae = (next(line for line in text.splitlines() if f"| {name} " in line) for name in ("cnn", "vae"))
    assert "6.33 ± 1.90 / 2.00 ± 1.41" in cnn
    assert "not run" in vae
    assert "Diva" in text.splitlines()[-1]
