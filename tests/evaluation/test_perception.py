"""Agreement of metrics with perceptual distances, by hand and on noise; the selection of items."""

import numpy as np
import pandas as pd
import pytest

from flowsynth.evaluation.perception import agreement, select_items, summarise
from flowsynth.evaluation.score_tables import with_systems

SYSTEMS = ("oracle", "cnn", "mlp", "vae", "nearest")


def tables(noise: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Distances by system and item; log-mel L1 is a monotonic function of them up to noise, RMS a falling one."""
    rng = np.random.default_rng(0)
    distances, scores = [], []
    for fold in range(2):
        for item in range(30):
            difficulty = rng.random()
            for place, model in enumerate(SYSTEMS):
                value = 0.0 if model == "oracle" else 1 + place + difficulty
                distances.append((fold, model, f"{fold}-{item}", 0, "zimtohrli", value / 100))
                for metric, score in (("log_mel_l1", value**2 + noise * rng.normal()), ("rms", 1 / (1 + value))):
                    scores.append((fold, model, f"{fold}-{item}", 0, metric, score))
    columns = ["fold", "model", "item", "sample", "metric", "value"]
    return pd.DataFrame(distances, columns=columns), with_systems(pd.DataFrame(scores, columns=columns))


def test_monotonic_metrics_agree_whatever_their_direction():
    table = agreement(*tables(0.0), seed=1).set_index(["metric", "level"])
    assert table["correlation"].tolist() == pytest.approx([1, 1, 1, 1])
    assert table.index.tolist() == [(m, level) for m in ("log_mel_l1", "rms") for level in ("systems", "items")]
    assert set(table["systems"]) == {4}  # without the oracle
    assert set(table["items"]) == {60}


def test_noise_lowers_the_agreement_over_items_and_widens_its_interval():
    noisy = agreement(*tables(30.0), seed=1).set_index(["metric", "level"]).loc[("log_mel_l1", "items")]
    assert abs(noisy["correlation"]) < 0.5
    assert noisy["low"] < noisy["correlation"] < noisy["high"]


def test_systems_are_ordered_by_their_distance():
    table = summarise(tables(0.0)[0], seed=1)
    assert table["model"].tolist() == list(SYSTEMS)
    assert ((table["low"] <= table["mean"]) & (table["mean"] <= table["high"])).all()


def test_items_are_selected_by_their_ids():
    ids = [f"item{number}" for number in range(50)]
    chosen = select_items(ids, 10, seed=1, fold=0)
    assert len(chosen) == 10
    assert set(select_items([name for name in ids if name in chosen or name > "item3"], 10, 1, 0)) <= set(ids)
    assert select_items(chosen, 10, 1, 0) == chosen  # without the others
    assert select_items(ids, 10, 1, 1) != chosen
    assert select_items(ids, None, 1, 0) == ids
