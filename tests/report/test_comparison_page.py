"""Comparison page: the best baseline, and what the candidate costs."""

import pandas as pd

from flowsynth.evaluation.score_tables import with_systems
from flowsynth.report.comparison_page import best_baseline, render_cost


def test_best_baseline_is_no_control_if_there_are_others():
    table = pd.DataFrame(
        {
            "metric": ["log_mel_l1"] * 3 + ["rms"],
            "baseline": ["nearest_refined80", "mlp", "cnn (frozen)", "vae"],
            "baseline_is_control": [True, False, False, False],
            "baseline_mean": [0.1, 0.3, 0.2, 0.0],
        }
    )
    assert best_baseline(table) == "cnn (frozen)"
    assert best_baseline(table[table["baseline_is_control"]]) == "nearest_refined80"


def test_cost_is_that_of_the_system_or_unknown():
    scores = with_systems(pd.DataFrame({"model": ["proxy_best16", "mine", "cnn_best16_refined8"]}))
    assert "16 renderings per sound, and its training makes " in render_cost("proxy_best16", scores)
    assert render_cost("cnn_best16_refined8", scores) == "cnn_best16_refined8 uses 24 renderings per sound."
    assert "not known" in render_cost("mine", scores)
