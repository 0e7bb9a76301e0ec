"""Whether rankings transfer: correlations of ranks, by hand and on noise."""

import re

import numpy as np
import pandas as pd
import pytest

from flowsynth.evaluation.score_tables import with_systems
from flowsynth.evaluation.transfer import correlations_markdown, ranks_markdown, transfer

MODELS = ("cnn", "mlp", "vae", "flow_reg")


def scores(means: dict[str, float], noise: float, seed: int = 0, items: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        (0, model, f"item{item}", 0, "log_mel_l1", mean + noise * rng.normal())
        for model, mean in means.items()
        for item in range(items)
    ]
    return with_systems(pd.DataFrame(rows, columns=["fold", "model", "item", "sample", "metric", "value"]))


def test_equal_and_reversed_rankings_and_controls():
    up = {model: float(place) for place, model in enumerate(MODELS)}
    down = {model: -value for model, value in up.items()}
    tables = {
        "a": scores(up | {"random": 99.0}, 0.01),
        "b": scores({model: 5 * value for model, value in up.items()}, 0.01),
        "c": scores(down, 0.01),
    }
    ranks, correlations = transfer(tables, ("log_mel_l1",), 1)
    controls = ranks[ranks["rank"].isna()]
    assert controls[["dataset", "model"]].to_numpy().tolist() == [["a", "random"]]
    assert controls["mean"].item() == pytest.approx(99, abs=0.1)
    assert set(ranks["model"]) == {*MODELS, "random"}
    by_pair = correlations.set_index(["first", "second"])
    assert by_pair["correlation"].to_dict() == pytest.approx({("a", "b"): 1, ("a", "c"): -1, ("b", "c"): -1})
    assert (by_pair["low"] == by_pair["high"]).all()  # separated by many standard errors
    order = ranks[ranks["dataset"] == "a"].set_index("model")["rank"]
    assert order.drop("random").to_dict() == {"cnn": 1, "mlp": 2, "vae": 3, "flow_reg": 4}
    lines = ranks_markdown(ranks).splitlines()
    assert [line.split()[1] for line in lines[2:]] == ["cnn", "mlp", "vae", "flow_reg", "random"]  # by the mean rank
    assert re.split(r"\s*\|\s*", lines[-1])[1:3] == ["random", "99.0"]
    assert [re.split(r"\s*\|\s*", line)[2].split()[-1] for line in lines[2:6]] == ["(1)", "(2)", "(3)", "(4)"]
    assert "| a, c" in correlations_markdown(correlations)
    assert ranks.set_index(["dataset", "model"])["mean"]["b", "flow_reg"] == pytest.approx(15, abs=0.1)


def test_models_that_do_not_differ_have_a_correlation_of_any_value():
    same = dict.fromkeys(MODELS, 1.0)
    _, correlations = transfer({"a": scores(same, 1.0, 1), "b": scores(same, 1.0, 2)}, ("log_mel_l1",), 1)
    (row,) = correlations.itertuples()
    assert row.low < -0.5
    assert row.high > 0.5


def test_data_sets_without_common_models_are_refused():
    one = scores({"cnn": 1.0, "mlp": 2.0, "vae": 3.0}, 0.1)
    other = scores({"cnn": 1.0, "random": 2.0}, 0.1)
    with pytest.raises(ValueError, match="got 2 data sets with 1 trained models in common"):
        transfer({"a": one, "b": other}, ("log_mel_l1",), 1)
    with pytest.raises(ValueError, match="got 1 data sets with 3 trained models"):
        transfer({"a": one}, ("log_mel_l1",), 1)
