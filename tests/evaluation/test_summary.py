"""Inconsistent scores are rejected, and summaries and their tables have the right values."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsynth.evaluation import summary as tables
from flowsynth.evaluation.score_tables import SCORE_COLUMNS, SYSTEM_COLUMNS, with_systems
from flowsynth.metrics import registry
from flowsynth.models.registry import controls

LABELS = {"budget": "tiny", "dataset": "toy2", "split": "grouped"}
LOWER = ["parameter_mse", "parameter_mse_n", "log_mel_l1"]  # metrics that are better when they are lower
MODELS = ["oracle", "mean", "mlp", "cnn_large"]


def scores(model: str, folds: list[dict[str, float]], metrics=None, samples: int = 1) -> pd.DataFrame:
    """Scores of a model: for each fold the errors of its items, the same for every metric and sample."""
    rows = [
        (*LABELS.values(), fold, model, item, sample, name, value_at(name, error))
        for fold, items in enumerate(folds)
        for item, error in items.items()
        for sample in range(samples)
        for name in (metrics or registry())
    ]
    columns = [*LABELS, "fold", "model", "item", "sample", "metric", "value"]
    return with_systems(pd.DataFrame(rows, columns=columns))[list(SCORE_COLUMNS)]


def value_at(name: str, error: float) -> float:
    """Value of a metric at a distance from the perfect value."""
    metric = registry()[name]
    return metric.perfect + (error if metric.better == "lower" else -error)


def write(folder: Path, *frames: pd.DataFrame) -> list[Path]:
    paths = [folder / f"{number}.csv" for number in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        frame.to_csv(path, index=False)
    return paths


def test_gather_concatenates_scores_unchanged(tmp_path: Path):
    frames = [scores("mlp", [{"00": 0.1 + 0.2, "12e5": np.nan}, {"0a": 3.0}]), scores("mean", [{"00": 1, "12e5": 2}])]
    gathered = tables.gather(write(tmp_path, *frames))
    pd.testing.assert_frame_equal(gathered, pd.concat(frames, ignore_index=True), check_dtype=False, rtol=0, atol=0)


@pytest.mark.parametrize("value", [1.0, 2.0])
def test_duplicate_scores_are_rejected_whatever_their_value(tmp_path: Path, value: float):
    frame = scores("mlp", [{"00": 1.0, "01": 1.0}])
    with pytest.raises(ValueError, match="'model': 'mlp', 'item': '01'"):
        tables.gather(write(tmp_path, frame, frame[frame["item"] == "01"].assign(value=value)))


def test_models_scored_on_different_items_are_rejected(tmp_path: Path):
    paths = write(tmp_path, scores("mlp", [{"0": 1}, {"0": 1, "1": 1}]), scores("mean", [{"0": 1}, {"0": 1, "2": 1}]))
    with pytest.raises(ValueError, match=r"toy2, fold 1.* mlp has .*, mean has not"):
        tables.gather(paths)


def test_best_of_n_has_one_sample_beside_models_with_several(tmp_path: Path):
    both = tables.gather(write(tmp_path, scores("mlp", [{"0": 1}], samples=2), scores("mlp_best2", [{"0": 1}])))
    assert tables.summarise(both, ["mlp", "mlp_best2"])["items"].eq(1).all()


def test_model_without_some_of_the_items_is_rejected(tmp_path: Path):
    paths = write(tmp_path, scores("mlp", [{"0": 1, "1": 1}]), scores("mean", [{"0": 1}]))
    with pytest.raises(ValueError, match=r"toy2, fold 0.* mlp has .*, mean has not"):
        tables.gather(paths)


def test_model_without_a_metric_of_an_item_is_rejected(tmp_path: Path):
    """Else its mean of that metric is over other items than those of the others."""
    whole = scores("mlp", [{"0": 1, "1": 1}])
    part = scores("mean", [{"0": 1, "1": 1}]).drop(index=0)
    with pytest.raises(ValueError, match="fold 0"):
        tables.gather(write(tmp_path, whole, part))


def test_other_columns_are_rejected_with_the_file_name(tmp_path: Path):
    frame = scores("mlp", [{"0": 1}])
    with pytest.raises(ValueError, match=r"1\.csv"):
        tables.gather(write(tmp_path, frame, frame.drop(columns="sample")))


def row_of(summary: pd.DataFrame, model: str, metric: str = "mel_mse") -> pd.Series:
    rows = summary[(summary["model"] == model) & (summary["metric"] == metric)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_summary_by_hand():
    """Fold means 0.5 and 4, though the mean of all items is 5 / 3."""
    row = row_of(tables.summarise(scores("mlp", [{"a": 0, "b": 1}, {"c": 4}]), ["mlp"]), "mlp")
    assert row["mean"] == pytest.approx(2.25)
    assert row["sd"] == pytest.approx(3.5 / np.sqrt(2))
    assert row["median"] == 1
    assert row["folds"] == 2
    assert row["items"] == 3


def test_undefined_values_are_ignored():
    row = row_of(tables.summarise(scores("mlp", [{"a": 0, "b": np.nan, "c": 1, "d": 5}]), ["mlp"]), "mlp")
    assert (row["mean"], row["median"], row["items"]) == (2, 1, 3)


def test_item_with_several_samples_counts_once():
    row = row_of(tables.summarise(scores("mlp", [{"a": 0, "b": 1}], samples=3), ["mlp"]), "mlp")
    assert row["items"] == 2


def test_one_fold_has_no_standard_deviation():
    assert np.isnan(row_of(tables.summarise(scores("mlp", [{"a": 0, "b": 1}]), ["mlp"]), "mlp")["sd"])


def test_models_are_summarised_separately():
    both = pd.concat([scores("mlp", [{"a": 1, "b": 2}]), scores("mean", [{"a": 10, "b": 20}])])
    summary = tables.summarise(both, ["mean", "mlp"])
    assert (row_of(summary, "mlp")["mean"], row_of(summary, "mean")["mean"]) == (1.5, 15)


def test_rows_follow_the_given_models_and_the_registry():
    frames = [scores(model, [{"a": 0.0}], metrics=reversed(registry())) for model in sorted(MODELS)]
    summary = tables.summarise(pd.concat(frames), MODELS)
    assert list(summary.columns) == [
        "model",
        *SYSTEM_COLUMNS,
        "metric",
        "mean",
        "sd",
        "median",
        "folds",
        "items",
        "beats_mean",
    ]
    expected = [(model, metric) for model in MODELS for metric in registry()]
    assert list(zip(summary["model"], summary["metric"], strict=True)) == expected


@pytest.mark.parametrize("error", [1.0, 1e-9])
@pytest.mark.parametrize("name", ["log_mel_l1", "rms"])
def test_imperfect_oracle_is_rejected(name: str, error: float):
    frame = scores("oracle", [{"a": 0, "b": 0}, {"c": 0}])
    frame.loc[(frame["item"] == "c") & (frame["metric"] == name), "value"] = value_at(name, error)
    message = rf"the oracle has {name} = .*, expected {registry()[name].perfect} for every item"
    with pytest.raises(ValueError, match=message):
        tables.summarise(frame, ["oracle"])


def test_oracle_may_have_undefined_values():
    summary = tables.summarise(scores("oracle", [{"a": 0, "b": np.nan}]), ["oracle"])
    assert (row_of(summary, "oracle")["mean"], row_of(summary, "oracle")["items"]) == (0, 1)


def test_oracle_without_any_value_is_rejected():
    with pytest.raises(ValueError, match=r"the oracle has .* = nan, expected"):
        tables.summarise(scores("oracle", [{"a": np.nan}]), ["oracle"])


def test_imperfect_model_is_accepted():
    assert row_of(tables.summarise(scores("mlp", [{"a": 1e-9}]), ["mlp"]), "mlp")["mean"] == 1e-9


@pytest.fixture
def summary() -> pd.DataFrame:
    """The oracle is best, and the mean is worse than the two models that are no controls."""
    means = {"oracle": (0, 0), "mean": (0.6, 0.7), "mlp": (0.3, 0.5), "cnn_large": (0.2, 0.4)}
    frames = [scores(model, [{"a": first}, {"b": second}], LOWER) for model, (first, second) in means.items()]
    return tables.summarise(pd.concat(frames), MODELS)


def cells(markdown: str) -> list[list[str]]:
    """Cells of a table in Markdown: its head and its rows."""
    lines = [line for line in markdown.splitlines() if not re.fullmatch(r"[|:\-\s]+", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_markdown_has_a_row_per_model_and_a_column_per_metric(summary):
    head, *rows = cells(tables.markdown(summary))
    assert head == ["Model", *(f"{registry()[name].label} ↓" for name in LOWER)]
    assert [row[0] for row in rows] == MODELS
    assert {len(row) for row in rows} == {len(head)}


def test_markdown_has_mean_and_deviation_and_the_best_in_bold(summary):
    _, *rows = cells(tables.markdown(summary))
    shown = {name: set(values) for name, *values in rows}
    assert shown == {
        "oracle": {"0 ± 0"},
        "mean": {"0.650 ± 0.0707"},
        "mlp": {"0.400 ± 0.141"},
        "cnn_large": {"**0.300 ± 0.141**"},
    }


def test_latex_has_all_models_and_the_best_in_bold(summary):
    lines = tables.latex(summary).splitlines()
    assert lines[0] == r"\begin{tabular}{l" + "r" * len(LOWER) + "}"
    assert (lines[1], lines[3], lines[-2], lines[-1]) == (r"\toprule", r"\midrule", r"\bottomrule", r"\end{tabular}")
    head = lines[2].removesuffix(r" \\").split(" & ")
    assert head == ["Model", r"Parameter MSE $\downarrow$", r"MSE\_n $\downarrow$", r"Log-mel L1 $\downarrow$"]
    rows = [line.removesuffix(r" \\").split(" & ") for line in lines[4:-2]]
    assert {name: set(values) for name, *values in rows} == {
        "oracle": {r"0 $\pm$ 0"},
        "mean": {r"0.650 $\pm$ 0.0707"},
        "mlp": {r"0.400 $\pm$ 0.141"},
        r"cnn\_large": {r"\textbf{0.300 $\pm$ 0.141}"},
    }


def test_model_no_better_than_the_mean_is_marked():
    means = {"mean": 0.3, "random": 0.9, "worse": 0.4, "better": 0.4}
    frames = [scores(model, [{"a": error}]) for model, error in means.items()]
    frames[2].loc[frames[2]["metric"] == "parameter_mse", "value"] = 0.0  # not a metric of sound
    frames[3].loc[frames[3]["metric"] == "rms", "value"] = 1.0  # where higher is better
    summary = tables.summarise(pd.concat(frames), [*means])
    assert tables.no_better_than_mean(summary) == ["worse"]
    beaten = summary[summary["beats_mean"].astype(bool)]
    assert set(zip(beaten["model"], beaten["metric"], strict=True)) == {("worse", "parameter_mse"), ("better", "rms")}
    text = tables.markdown(summary)
    assert [row[0] for row in cells(text)[1:5]] == ["mean", "random", "worse †", "better"]
    assert "† no better than the mean preset" in text
    assert r"worse $\dagger$ &" in tables.latex(summary)


def test_nothing_is_marked_without_the_mean():
    summary = tables.summarise(scores("mlp", [{"a": 9.0}]), ["mlp"])
    assert summary["beats_mean"].isna().all()
    assert "†" not in tables.markdown(summary)


def test_missing_folds_and_metrics_are_shown():
    frames = [scores("mlp", [{"a": 1.0}, {"b": 1.0}]), scores("cnn", [{"a": 2.0}], ["mel_mse"])]
    text = tables.markdown(tables.summarise(pd.concat(frames), ["mlp", "cnn"]))
    row = cells(text)[2]
    assert row[0] == "cnn (1 of 2 folds)"
    assert sorted(set(row[1:])) == ["2.00", "missing"]


def test_controls_are_never_bold():
    summary = tables.summarise(pd.concat([scores(m, [{"a": 0.0}]) for m in sorted(controls())]), sorted(controls()))
    assert "**" not in tables.markdown(summary)
    assert "textbf" not in tables.latex(summary)


def test_one_fold_is_formatted_without_a_deviation():
    summary = tables.summarise(scores("mlp", [{"a": 0.5}]), ["mlp"])
    assert "±" not in tables.markdown(summary)
    assert r"\pm" not in tables.latex(summary)


@pytest.fixture
def higher(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry with a metric that is better when it is higher."""
    metric = dataclasses.replace(registry()["mel_mse"], label="Likeness", better="higher", perfect=1.0)
    monkeypatch.setattr(tables, "registry", lambda: {"mel_mse": metric})


def test_highest_is_bold_if_higher_is_better(higher):
    frames = [scores(model, [{"a": value}], ["mel_mse"]) for model, value in [("mlp", 0.2), ("cnn", 0.4)]]
    summary = tables.summarise(pd.concat(frames), ["mlp", "cnn"])
    assert cells(tables.markdown(summary)) == [["Model", "Likeness ↑"], ["mlp", "0.200"], ["cnn", "**0.400**"]]
    assert r"cnn & \textbf{0.400}" in tables.latex(summary)


def test_latex_arrows_are_ascii_commands(higher):
    summary = tables.summarise(scores("mlp", [{"a": 0.5}], ["mel_mse"]), ["mlp"])
    text = tables.latex(summary)
    assert r"Likeness $\uparrow$" in text
    assert text.isascii()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.12345, "0.123"),
        (12.345, "12.3"),
        (0.5, "0.500"),
        (1, "1.00"),
        (120.0, "120"),
        (0.0001, "0.000100"),
        (999.4, "999"),
        (999.7, "1,000"),
        (1234.6, "1,235"),
        (1234567.0, "1,234,567"),
        (123456789.0, "1.23e+08"),
        (-0.12345, "-0.123"),
    ],
)
def test_number_has_three_significant_digits(value: float, text: str):
    assert tables.number(value) == text


@given(st.floats(1e-12, 1e12), st.sampled_from([1, -1]))
def test_number_is_accurate_to_its_last_digit(size: float, sign: int):
    value = sign * size
    assert float(tables.number(value).replace(",", "")) == pytest.approx(value, rel=0.00501)
