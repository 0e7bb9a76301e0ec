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


def test_only_the_first_sample_is_compared():
    distances, scores = tables(0.0)
    noise = np.random.default_rng(1).permutation(scores["value"])
    both = pd.concat([scores, scores.assign(sample=1, value=noise)])
    pd.testing.assert_frame_equal(agreement(distances, both, 1), agreement(distances, scores, 1))


def test_folds_of_different_sizes_count_alike():
    distances, scores = tables(0.0)

    def enlarged(table: pd.DataFrame) -> pd.DataFrame:
        copies = [table[table["fold"] == 1].assign(item=table["item"] + f"-{number}") for number in range(3)]
        return pd.concat([table[table["fold"] == 0], *copies])

    distances, scores = enlarged(distances), enlarged(scores)
    scores.loc[(scores["fold"] == 1) & (scores["metric"] == "log_mel_l1"), "value"] *= -1
    table = agreement(distances, scores, seed=1).set_index(["metric", "level"])
    assert table.loc[("log_mel_l1", "items"), "correlation"] == pytest.approx(0, abs=1e-6)


def test_an_oracle_that_is_not_perfect_is_an_error():
    distances = tables(0.0)[0]
    distances.loc[distances["model"] == "oracle", "value"] = 1e-3
    with pytest.raises(ValueError, match="zimtohrli of the oracle is not 0"):
        summarise(distances, seed=1)


def test_too_few_systems_are_left_out():
    distances, scores = tables(0.0)
    few = distances["model"].isin(["oracle", "cnn", "mlp"])
    assert agreement(distances[few], scores, seed=1).empty


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
    assert select_items([name for name in ids if name in chosen or name > "item3"], 10, 1, 0) == chosen
    assert select_items(chosen, 10, 1, 0) == chosen  # without the others
    assert select_items(ids, 10, 1, 1) != chosen
    assert select_items(ids, None, 1, 0) == ids
