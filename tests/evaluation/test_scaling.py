"""Scores against the number of drawn presets, of epochs, or of parameters (the paper's layout)."""

import numpy as np
import pandas as pd
import pytest
from test_summary import cells
from test_summary import scores as model_scores

from flowsynth.evaluation import scaling
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
    table = scaling.scores_by_amount({0: scores(2.0), 10000: scores(1.0)}, 1)
    assert list(table.columns) == scaling.AMOUNT_COLUMNS
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
    text = scaling.amount_markdown(scaling.scores_by_amount({0: scores(2.0), 10000: scores(1.0)}, 1), "drawn")
    assert text.startswith("Log-mel L1 with its 95 % interval over 2 folds and their sounds, one training each.\n\n")
    head, _, *rows = text.split("\n\n")[1].strip().splitlines()
    assert [cell.strip() for cell in head.strip("|").split("|")] == ["Model", "0 drawn", "10,000 drawn"]
    assert [row.split("|")[1].strip() for row in rows] == ["cnn", "mean"]


def test_data_sets_are_summarised_separately_side_by_side():
    sizes = {"toy16": (16, {"mlp": 1.0, "cnn": 2.0}), "toy30": (30, {"mlp": 4.0, "cnn": 3.0})}
    datasets = {
        name: (size, pd.concat([model_scores(model, [{"a": error}]) for model, error in errors.items()]))
        for name, (size, errors) in sizes.items()
    }
    summary = scaling.scores_by_parameter_count(datasets, ["mlp", "cnn"])
    assert set(summary["metric"]) == set(scaling.PAPER_METRICS)
    by_model = summary[summary["metric"] == "mel_mse"].set_index(["dataset", "model"])["mean"]
    assert by_model.to_dict() == {
        (name, model): e for name, (_, errors) in sizes.items() for model, e in errors.items()
    }
    head, *rows = cells(scaling.parameter_count_markdown(summary))
    assert head[0] == "Model"
    assert [name.split(": ")[0] for name in head[1:]] == ["16"] * 3 + ["30"] * 3
    assert rows == [["mlp", *["**1.00**"] * 3, *["4.00"] * 3], ["cnn", *["2.00"] * 3, *["**3.00**"] * 3]]
    assert r"cnn & 2.00 & 2.00 & 2.00 & \textbf{3.00}" in scaling.parameter_count_latex(summary)


def test_finding_names_sizes_where_no_network_beats_nearest():
    sizes = {
        "toy16": (16, {"nearest": 2.0, "mean": 0.5, "cnn": 1.0}),
        "toy30": (30, {"nearest": 2.0, "mean": 3, "cnn": 2.5}),
    }
    datasets = {
        name: (size, pd.concat([model_scores(model, [{"a": error}]) for model, error in errors.items()]))
        for name, (size, errors) in sizes.items()
    }
    finding = scaling.parameter_count_finding(scaling.scores_by_parameter_count(datasets, ["nearest", "mean", "cnn"]))
    assert finding.startswith(
        "No network is better than `nearest` in MSE_n with 30 parameters, or in Spectral convergence with 30"
    )
    assert "16" not in finding
    better = scaling.scores_by_parameter_count({"toy16": datasets["toy16"]}, ["nearest", "mean", "cnn"])
    assert scaling.parameter_count_finding(better).startswith("At least one network is better than `nearest` in each")


def test_rows_align_if_a_model_lacks_a_fold_in_one_data_set():
    first = pd.concat(
        [model_scores("mean", [{"a": 1.0}]), model_scores("mlp", [{"a": 2.0}])]
    )  # no better than the mean
    second = pd.concat([model_scores("mean", [{"a": 1.0}, {"a": 1.0}]), model_scores("mlp", [{"a": 0.5}])])
    summary = scaling.scores_by_parameter_count({"toy16": (16, first), "toy30": (30, second)}, ["mean", "mlp"])
    _, *rows = cells(scaling.parameter_count_markdown(summary))
    assert rows == [["mean", *["1.00"] * 3, *["1.00 ± 0"] * 3], ["mlp", *["**2.00**"] * 3, *["**0.500**"] * 3]]
