"""The paper's layout: one row per model, and for each number of parameters one column per metric."""

import pandas as pd
from test_summary import cells, scores

from flowsynth.evaluation import parameter_count


def test_data_sets_are_summarised_separately_side_by_side():
    sizes = {"toy16": (16, {"mlp": 1.0, "cnn": 2.0}), "toy30": (30, {"mlp": 4.0, "cnn": 3.0})}
    datasets = {
        name: (size, pd.concat([scores(model, [{"a": error}]) for model, error in errors.items()]))
        for name, (size, errors) in sizes.items()
    }
    summary = parameter_count.summarise_datasets(datasets, ["mlp", "cnn"])
    assert set(summary["metric"]) == set(parameter_count.METRICS)
    by_model = summary[summary["metric"] == "mel_mse"].set_index(["dataset", "model"])["mean"]
    assert by_model.to_dict() == {
        (name, model): e for name, (_, errors) in sizes.items() for model, e in errors.items()
    }
    head, *rows = cells(parameter_count.markdown(summary))
    assert head[0] == "Model"
    assert [name.split(": ")[0] for name in head[1:]] == ["16"] * 3 + ["30"] * 3
    assert rows == [["mlp", *["**1.00**"] * 3, *["4.00"] * 3], ["cnn", *["2.00"] * 3, *["**3.00**"] * 3]]
    assert r"cnn & 2.00 & 2.00 & 2.00 & \textbf{3.00}" in parameter_count.latex(summary)


def test_finding_names_sizes_where_no_network_beats_nearest():
    sizes = {
        "toy16": (16, {"nearest": 2.0, "mean": 0.5, "cnn": 1.0}),
        "toy30": (30, {"nearest": 2.0, "mean": 3, "cnn": 2.5}),
    }
    datasets = {
        name: (size, pd.concat([scores(model, [{"a": error}]) for model, error in errors.items()]))
        for name, (size, errors) in sizes.items()
    }
    finding = parameter_count.finding(parameter_count.summarise_datasets(datasets, ["nearest", "mean", "cnn"]))
    assert finding.startswith(
        "No network is better than `nearest` in MSE_n with 30 parameters, or in Spectral convergence with 30"
    )
    assert "16" not in finding
    better = parameter_count.summarise_datasets({"toy16": datasets["toy16"]}, ["nearest", "mean", "cnn"])
    assert parameter_count.finding(better).startswith("At least one network is better than `nearest` in each")


def test_rows_align_if_a_model_lacks_a_fold_in_one_data_set():
    first = pd.concat([scores("mean", [{"a": 1.0}]), scores("mlp", [{"a": 2.0}])])  # no better than the mean
    second = pd.concat([scores("mean", [{"a": 1.0}, {"a": 1.0}]), scores("mlp", [{"a": 0.5}])])
    summary = parameter_count.summarise_datasets({"toy16": (16, first), "toy30": (30, second)}, ["mean", "mlp"])
    _, *rows = cells(parameter_count.markdown(summary))
    assert rows == [["mean", *["1.00"] * 3, *["1.00 ± 0"] * 3], ["mlp", *["**2.00**"] * 3, *["**0.500**"] * 3]]
