"""The paper's layout: a row a model, and for each number of parameters its columns."""

import pandas as pd
from test_summary import cells, scores

from flowsynth.evaluation import parameter_count


def test_data_sets_stand_side_by_side_and_are_summarised_apart():
    sizes = {"toy16": (16, {"mlp": 1.0, "cnn": 2.0}), "toy30": (30, {"mlp": 4.0, "cnn": 3.0})}
    given = {
        name: (size, pd.concat([scores(model, [{"a": error}]) for model, error in errors.items()]))
        for name, (size, errors) in sizes.items()
    }
    found = parameter_count.table(given, ["mlp", "cnn"])
    assert set(found["metric"]) == set(parameter_count.METRICS)
    by_model = found[found["metric"] == "mel_mse"].set_index(["dataset", "model"])["mean"]
    assert by_model.to_dict() == {
        (name, model): e for name, (_, errors) in sizes.items() for model, e in errors.items()
    }
    head, *rows = cells(parameter_count.markdown(found))
    assert head[0] == "Model"
    assert [name.split(": ")[0] for name in head[1:]] == ["16"] * 3 + ["30"] * 3
    assert rows == [["mlp", *["**1.00**"] * 3, *["4.00"] * 3], ["cnn", *["2.00"] * 3, *["**3.00**"] * 3]]
    assert r"cnn & 2.00 & 2.00 & 2.00 & \textbf{3.00}" in parameter_count.latex(found)


def test_where_no_network_is_below_the_nearest_preset_is_said():
    sizes = {
        "toy16": (16, {"nearest": 2.0, "mean": 0.5, "cnn": 1.0}),
        "toy30": (30, {"nearest": 2.0, "mean": 3, "cnn": 2.5}),
    }
    given = {
        name: (size, pd.concat([scores(model, [{"a": error}]) for model, error in errors.items()]))
        for name, (size, errors) in sizes.items()
    }
    said = parameter_count.finding(parameter_count.table(given, ["nearest", "mean", "cnn"]))
    assert said.startswith(
        "None of these networks comes below `nearest` in MSE_n with 30 parameters, or in Spectral convergence with 30"
    )
    assert "16" not in said
    below = parameter_count.table({"toy16": given["toy16"]}, ["nearest", "mean", "cnn"])
    assert parameter_count.finding(below).startswith("Some network comes below `nearest` in each")


def test_rows_stay_together_where_a_model_is_marked_or_lacks_a_fold_in_one_data_set_only():
    first = pd.concat([scores("mean", [{"a": 1.0}]), scores("mlp", [{"a": 2.0}])])  # no better than the mean
    second = pd.concat([scores("mean", [{"a": 1.0}, {"a": 1.0}]), scores("mlp", [{"a": 0.5}])])
    found = parameter_count.table({"toy16": (16, first), "toy30": (30, second)}, ["mean", "mlp"])
    _, *rows = cells(parameter_count.markdown(found))
    assert rows == [["mean", *["1.00"] * 3, *["1.00 ± 0"] * 3], ["mlp", *["**2.00**"] * 3, *["**0.500**"] * 3]]
