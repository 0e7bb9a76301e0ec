"""The paper's layout: a row a model, and for each number of parameters its columns."""

import pandas as pd
from test_tables import cells, scores

from flowsynth import complexity


def test_data_sets_stand_side_by_side_and_are_summarised_apart():
    sizes = {"toy16": (16, {"mlp": 1.0, "cnn": 2.0}), "toy30": (30, {"mlp": 4.0, "cnn": 3.0})}
    given = {
        name: (size, pd.concat([scores(model, [{"a": error}]) for model, error in errors.items()]))
        for name, (size, errors) in sizes.items()
    }
    found = complexity.table(given, ["mlp", "cnn"])
    assert set(found["metric"]) == set(complexity.METRICS)
    by_model = found[found["metric"] == "mel_mse"].set_index(["dataset", "model"])["mean"]
    assert by_model.to_dict() == {
        (name, model): e for name, (_, errors) in sizes.items() for model, e in errors.items()
    }
    head, *rows = cells(complexity.markdown(found))
    assert head[0] == "Model"
    assert [name.split(": ")[0] for name in head[1:]] == ["16"] * 3 + ["30"] * 3
    assert rows == [["mlp", *["**1**"] * 3, *["4"] * 3], ["cnn", *["2"] * 3, *["**3**"] * 3]]
    assert r"cnn & 2 & 2 & 2 & \textbf{3}" in complexity.latex(found)
