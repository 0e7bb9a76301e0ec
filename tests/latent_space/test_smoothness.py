"""Measures of smoothness where they are known: straight lines, jumps, ways there and back."""

import numpy as np
import pandas as pd
import pytest

from flowsynth.latent_space.rendered import Heard
from flowsynth.latent_space.smoothness import CALIPER, MEASURES, METRICS, measure, partners, steps_of, summarise
from flowsynth.metrics import registry
from flowsynth.metrics.spectral import FLOOR

STEPS = 8


def heard(levels: np.ndarray) -> Heard:
    """Sounds whose log-mel spectrogram is the same everywhere: the level, lines x steps."""
    mel = np.exp(levels)[:, :, None, None] * np.ones((4, 5)) - FLOOR
    lines, steps = levels.shape
    nothing = np.zeros((lines, steps, 1), np.float32)
    audio = np.zeros((lines, steps, 3000), np.float32)
    ids = [f"item/z{i}" for i in range(lines)]
    return Heard(ids, ("a",), nothing[:, 0], nothing, nothing, audio, 22050, mel)


def measured(levels: list[float]) -> dict[str, float]:
    steps, ends = steps_of(registry()["log_mel_l1"], heard(np.array([levels])))
    return {name: float(value[0]) for name, value in measure(steps, ends).items()}


def test_a_straight_line_of_equal_steps_is_even_and_straight():
    found = measured(np.linspace(-3, 4, STEPS).tolist())
    assert found == pytest.approx({"path": 7, "ends": 7, "largest": 1, "unevenness": 1, "straightness": 1})


def test_a_jump_is_as_uneven_as_there_are_steps_and_still_straight():
    found = measured([0.0] * 4 + [2.0] * 4)
    assert found == pytest.approx({"path": 2, "ends": 2, "largest": 2, "unevenness": STEPS - 1, "straightness": 1})


def test_there_and_back_is_even_and_not_straight():
    found = measured([0.0, 1.0, 2.0, 3.0, 2.0, 1.0, 0.0, 1.0])
    assert found == pytest.approx({"path": 7, "ends": 1, "largest": 1, "unevenness": 1, "straightness": 1 / 7})


def test_what_does_not_move_has_no_measure():
    found = measured([1.0] * STEPS)
    assert found["path"] == 0
    assert np.isnan([found["unevenness"], found["straightness"]]).all()


def test_the_unit_makes_no_difference():
    steps, ends = np.random.default_rng(0).random((5, 7)), np.full(5, 0.3)
    for name in MEASURES:
        np.testing.assert_allclose(measure(steps, ends)[name], measure(100 * steps, 100 * ends)[name])


def test_a_metric_of_sounds_measures_the_sounds():
    time = np.arange(6000) / 22050
    tones = np.stack([np.sin(2 * np.pi * f * time) for f in (1000, 2000, 3000, 4000)]).astype(np.float32)
    base = heard(np.zeros((1, 4)))
    line = Heard(**{**vars(base), "audio": tones[None]})
    steps, ends = steps_of(registry()["sot"], line)
    found = measure(steps, ends)
    assert found["unevenness"][0] == pytest.approx(1, abs=0.03)
    assert found["straightness"][0] == pytest.approx(1, abs=0.03)


def test_partners_have_paths_of_about_one_length():
    theirs = np.array([1.0, 2.0, 4.0])
    found = partners(np.array([1.01, 2 * CALIPER * 1.01, 3.9, 0.1]), theirs, ["a", "b", "c"])
    assert found == ["a", "", "c", ""]
    assert partners(np.array([1.0]), np.array([]), []) == [""]


def rows(latent: float, native: float, spread: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    kinds = (("latent", "z", latent), ("native", "p", native))
    return pd.DataFrame(
        [
            {
                "item": str(item), "kind": kind, "control": f"{letter}{number}", "metric": metric, "path": 1.0 + number,
                "unevenness": value + spread * rng.normal(), "straightness": 1 / value, "audible": number < 3,
                "partner": f"p{number}" if kind == "latent" and number == 1 else "",
            }
            for metric in METRICS for item in range(10) for kind, letter, value in kinds for number in range(4)
        ]
    )  # fmt: skip


def test_differences_are_those_that_were_put_in():
    summary = summarise(rows(1.5, 2.0, spread=0.1), seed=1)
    assert len(summary) == len(METRICS) * len(MEASURES) * 2
    uneven = summary[summary["measure"] == "unevenness"]
    assert (uneven["difference"] - -0.5).abs().max() < 0.15
    assert ((uneven["low"] < uneven["difference"]) & (uneven["difference"] < uneven["high"])).all()
    assert (uneven["high"] < 0).all()
    assert (uneven["p"] < 0.01).all()
    straight = summary[summary["measure"] == "straightness"]
    assert straight["difference"].to_numpy() == pytest.approx(1 / 1.5 - 1 / 2)


def test_what_is_hardly_heard_is_left_out_and_the_matched_are_pairs():
    summary = summarise(rows(1.5, 2.0, spread=0.1), seed=1).set_index("matching")
    assert set(summary.loc["whole", ["latent_lines", "native_lines"]].to_numpy().flat) == {30}
    assert set(summary.loc["path", ["latent_lines", "native_lines"]].to_numpy().flat) == {10}


def test_without_a_difference_the_interval_holds_zero():
    same = rows(2.0, 2.0)
    same["unevenness"] += 0.2 * (-1) ** same["item"].astype(int) * (same["kind"] == "latent")
    summary = summarise(same, seed=1)
    uneven = summary[(summary["measure"] == "unevenness") & (summary["matching"] == "whole")]
    assert uneven["difference"].to_numpy() == pytest.approx(0)
    assert ((uneven["low"] < -0.05) & (uneven["high"] > 0.05)).all()
    assert (uneven["p"] > 0.05).all()


def test_the_same_seed_gives_the_same_interval():
    table = rows(1.5, 2.0, spread=0.1)
    assert summarise(table, seed=1).equals(summarise(table, seed=1))
