"""The study of decision rules: which rules a model can have, and the summary over folds."""

import numpy as np
import pandas as pd
import pytest
from small import space

from flowsynth.evaluation.decision_study import COLUMNS, applicable_rules, markdown, summarise
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.models.systems import DECISION_RULES


def test_a_mode_needs_a_density_and_a_ranking_a_surrogate(size: Size):
    proxy = models.find("proxy")(16, 20, space(3), size)
    for name, expected in (
        ("npe_nsf", {"mean", "median", "medoid", "mode"}),
        ("flow_cond", {"mean", "median", "medoid"}),
    ):
        model = models.find(name)(16, 20, space(3), size)
        assert applicable_rules(model, DECISION_RULES, None).keys() == expected
        assert applicable_rules(model, DECISION_RULES, proxy).keys() == expected | {"ranked", "descended"}


def test_the_best_rule_makes_one_preset_and_has_the_lowest_mean_over_folds():
    rng = np.random.default_rng(0)
    rows = []
    for fold, items in ((0, 30), (1, 60)):
        for item in range(items):
            difficulty = rng.normal()
            for rule, level in (("draw", 0.1), ("mean", 0.5), ("median", 0.4 if fold else 0.3), ("mode", 0.9)):
                rows.append((fold, "npe_nsf", rule, 64, str(item), level + 0.01 * difficulty))
    table = summarise(pd.DataFrame(rows, columns=COLUMNS), seed=1).set_index("rule")
    assert table.index.tolist() == ["draw", "mean", "median", "mode"]
    assert table.index[table["best"]].tolist() == ["median"]
    assert table.loc["median", "mean"] == pytest.approx(0.35, abs=0.01)  # folds count alike
    assert (table["low"] < table["mean"]).all() and (table["mean"] < table["high"]).all()
    assert set(table["items"]) == {90}
    header, _, row = markdown(table.reset_index()).splitlines()
    assert [cell.strip() for cell in header.split("|")[2:-1]] == [f"{rule}, 64 draws" for rule in table.index]
    assert ["**" in cell for cell in row.split("|")[2:-1]] == [False, False, True, False]
