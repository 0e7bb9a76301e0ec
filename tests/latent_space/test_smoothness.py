"""Tests of the smoothness measures on lines with known values: straight lines, jumps and returns."""

import numpy as np
import pandas as pd
import pytest

from flowsynth.latent_space.rendered import RenderedTraversals
from flowsynth.latent_space.smoothness import (
    CALIPER,
    MEASURES,
    METRICS,
    match_paths,
    measure_lines,
    step_distances,
    summarise,
)
from flowsynth.metrics import registry
from flowsynth.metrics.spectral import FLOOR

STEPS = 8


def constant_spectrograms(levels: np.ndarray) -> RenderedTraversals:
    """Sounds with a constant log-mel spectrogram, given their levels (lines x steps)."""
    mel = np.exp(levels)[:, :, None, None] * np.ones((4, 5)) - FLOOR
    lines, steps = levels.shape
    presets = np.zeros((lines, steps, 1), np.float32)
    audio = np.zeros((lines, steps, 3000), np.float32)
    ids = [f"item/z{i}" for i in range(lines)]
    return RenderedTraversals(ids, ("a",), presets[:, 0], presets, presets, audio, 22050, mel)


def measures_of(levels: list[float]) -> dict[str, float]:
    steps, ends = step_distances(registry()["log_mel_l1"], constant_spectrograms(np.array([levels])))
    return {name: float(value[0]) for name, value in measure_lines(steps, ends).items()}


def test_equal_steps_are_even_and_straight():
    measures = measures_of(np.linspace(-3, 4, STEPS).tolist())
    assert measures == pytest.approx({"path": 7, "ends": 7, "largest": 1, "unevenness": 1, "straightness": 1})


def test_jump_is_uneven_and_straight():
    measures = measures_of([0.0] * 4 + [2.0] * 4)
    assert measures == pytest.approx({"path": 2, "ends": 2, "largest": 2, "unevenness": STEPS - 1, "straightness": 1})


def test_return_is_even_and_not_straight():
    measures = measures_of([0.0, 1.0, 2.0, 3.0, 2.0, 1.0, 0.0, 1.0])
    assert measures == pytest.approx({"path": 7, "ends": 1, "largest": 1, "unevenness": 1, "straightness": 1 / 7})


def test_measures_of_a_constant_line_are_nan():
    measures = measures_of([1.0] * STEPS)
    assert measures["path"] == 0
    assert np.isnan([measures["unevenness"], measures["straightness"]]).all()


def test_measures_are_scale_invariant():
    steps, ends = np.random.default_rng(0).random((5, 7)), np.full(5, 0.3)
    for name in MEASURES:
        np.testing.assert_allclose(measure_lines(steps, ends)[name], measure_lines(100 * steps, 100 * ends)[name])


def test_audio_metrics_use_the_audio():
    time = np.arange(6000) / 22050
    tones = np.stack([np.sin(2 * np.pi * f * time) for f in (1000, 2000, 3000, 4000)]).astype(np.float32)
    silence = constant_spectrograms(np.zeros((1, 4)))
    line = RenderedTraversals(**{**vars(silence), "audio": tones[None]})
    steps, ends = step_distances(registry()["sot"], line)
    measures = measure_lines(steps, ends)
    assert measures["unevenness"][0] == pytest.approx(1, abs=0.03)
    assert measures["straightness"][0] == pytest.approx(1, abs=0.03)


def test_matched_paths_have_similar_lengths():
    native = np.array([1.0, 2.0, 4.0])
    partners = match_paths(np.array([1.01, 2 * CALIPER * 1.01, 3.9, 0.1]), native, ["a", "b", "c"])
    assert partners == ["a", "", "c", ""]
    assert match_paths(np.array([1.0]), np.array([]), []) == [""]


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


def test_summary_recovers_known_differences():
    summary = summarise(rows(1.5, 2.0, spread=0.1), seed=1)
    assert len(summary) == len(METRICS) * len(MEASURES) * 2
    uneven = summary[summary["measure"] == "unevenness"]
    assert (uneven["difference"] - -0.5).abs().max() < 0.15
    assert ((uneven["low"] < uneven["difference"]) & (uneven["difference"] < uneven["high"])).all()
    assert (uneven["high"] < 0).all()
    assert (uneven["p"] < 0.01).all()
    straight = summary[summary["measure"] == "straightness"]
    assert straight["difference"].to_numpy() == pytest.approx(1 / 1.5 - 1 / 2)


def test_inaudible_lines_are_excluded_and_matches_paired():
    summary = summarise(rows(1.5, 2.0, spread=0.1), seed=1).set_index("matching")
    assert set(summary.loc["whole", ["latent_lines", "native_lines"]].to_numpy().flat) == {30}
    assert set(summary.loc["path", ["latent_lines", "native_lines"]].to_numpy().flat) == {10}


def test_interval_contains_zero_without_a_difference():
    same = rows(2.0, 2.0)
    same["unevenness"] += 0.2 * (-1) ** same["item"].astype(int) * (same["kind"] == "latent")
    summary = summarise(same, seed=1)
    uneven = summary[(summary["measure"] == "unevenness") & (summary["matching"] == "whole")]
    assert uneven["difference"].to_numpy() == pytest.approx(0)
    assert ((uneven["low"] < -0.05) & (uneven["high"] > 0.05)).all()
    assert (uneven["p"] > 0.05).all()


def test_summary_is_deterministic():
    table = rows(1.5, 2.0, spread=0.1)
    assert summarise(table, seed=1).equals(summarise(table, seed=1))
