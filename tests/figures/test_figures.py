"""Figures show their data, raise no warning, and give reproducible files."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from inspect import signature
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from rules import scripted_rules

from flowsynth.data.semantics import SEMANTIC_PAIRS
from flowsynth.evaluation import calibration as calibration_tables
from flowsynth.evaluation.scaling import PAPER_METRICS, scores_by_amount
from flowsynth.evaluation.score_tables import with_systems
from flowsynth.evaluation.transfer import transfer as rank_transfer
from flowsynth.figures import (
    calibration,
    critical_difference,
    curves,
    interpolation,
    latent_space,
    macro_controls,
    match,
    neighbourhood,
    reconstruction,
    scaling,
    scores,
    semantic,
    smoothness,
    transfer,
)
from flowsynth.figures.pca_map import PCAMap
from flowsynth.figures.style import most_varying, save
from flowsynth.latent_space.rendered import RenderedTraversals
from flowsynth.latent_space.smoothness import measure_controls, summarise
from flowsynth.metrics import registry

ROOT = Path(__file__).resolve().parents[2]
MODELS = ["oracle", "mean", "cnn"]
NAMES = ("a", "b_c", "d", "e", "f", "g", "h")


def score_table(models: list[str] = MODELS) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        ("quick", "amsynth16", "grouped", fold, model, str(item), 0, metric, 0.0 if model == "oracle" else rng.random())
        for fold in range(2)
        for model in models
        for item in range(5)
        for metric in registry()
    ]
    columns = ["budget", "dataset", "split", "fold", "model", "item", "sample", "metric", "value"]
    return with_systems(pd.DataFrame(rows, columns=columns))


def traversals(ids: list[str], steps: int, active: int | None = None) -> RenderedTraversals:
    """Random traversals; the parameters of the active one change much more than those of the others."""
    rng = np.random.default_rng(0)
    parameters = len(NAMES)
    lines = len(ids)
    estimates = 0.5 + 0.01 * rng.normal(size=(lines, steps, parameters))
    if active is not None:
        estimates[active, :, 2] = np.linspace(0, 1, steps)
    latent = np.zeros((lines, steps, parameters))
    latent[np.arange(lines) % lines, :, np.arange(lines) % parameters] = np.linspace(-3, 3, steps)
    audio = 0.1 * rng.normal(size=(lines, steps, 4000)).astype(np.float32)
    mel = rng.random((lines, steps, 8, 10))
    single = (array.astype(np.float32) for array in (estimates[:, 0], estimates, latent))
    return RenderedTraversals(ids, NAMES, *single, audio, 22050, mel)


def latents(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(30, len(NAMES))).astype(np.float32)


def histories() -> dict[str, list[pd.DataFrame]]:
    epochs = np.arange(5.0)
    plain = pd.DataFrame({"epoch": epochs, "train/loss": 1 / (1 + epochs), "valid/loss": [1.0, 0.5, 0.2, 0.3, 0.4]})
    with_warm_up = plain.assign(
        **{f"{part}/parameters": [9.0, 8.0, 7.0, 1.0, 2.0] for part in ("train", "valid")},
        **{"valid/selection": [np.inf, np.inf, 7.0, 1.0, 2.0]},
    )
    return {"mean": [plain.head(0)], "cnn": [plain, plain], "vae": [with_warm_up]}


def rendered_presets(seed: int) -> reconstruction.RenderedPresets:
    rng = np.random.default_rng(seed)
    return reconstruction.RenderedPresets(rng.random((3, len(NAMES))), rng.random((3, 8, 10)))


@cache
def smoothness_table() -> pd.DataFrame:
    latent = [f"{item}/z{dimension}" for item in range(3) for dimension in range(3)]
    native = [f"{item}/{name}" for item in range(3) for name in NAMES[:3]]
    return measure_controls(traversals(latent, 8), traversals(native, 8))


@cache
def parameter_count_table() -> pd.DataFrame:
    rows = [(n, m, k, 0.1 * n, 0.01) for n in (16, 30) for m in ("mean", "cnn") for k in PAPER_METRICS]
    return with_systems(pd.DataFrame(rows, columns=["parameters", "model", "metric", "mean", "sd"]))


@cache
def amount_table() -> pd.DataFrame:
    return scores_by_amount({0: score_table(), 10000: score_table()}, 1)


def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2, 88200)).astype("f4")


@cache
def calibration_and_coverage() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng, tables, coverages = np.random.default_rng(0), [], []
    for model in ("mdn", "npe_nsf"):
        truth, samples = rng.random((30, len(NAMES))), rng.random((30, 16, len(NAMES)))
        tables.append(calibration_tables.calibration_table(model, NAMES, truth, samples, truth.std(axis=0), 0))
        ranks = calibration_tables.ranks(truth, samples, 0).flatten()
        coverages.append(calibration_tables.coverage(ranks, 16).assign(model=model))
    return pd.concat(tables), pd.concat(coverages)


TAGS = np.repeat([1.0, -1.0, 0.0], 10)
SEPARATED = latents(2) + np.outer(TAGS, np.eye(len(NAMES), dtype=np.float32)[0]).astype(np.float32) * 5
PAIR = SEMANTIC_PAIRS["bright_dark"]
SELECTION = pd.DataFrame({"role": ["best", "typical", "worst"], "item": ["x", "y", "z"]})
SPACES = ("vae", latents(0)), ("dis", SEPARATED)
# by name of the rule that draws the figure
FIGURES: dict[str, Callable[[], Figure]] = {
    "scores": lambda: scores.plot(score_table(), MODELS, "title"),
    "curves": lambda: curves.plot(histories(), "title"),
    "reconstruction": lambda: reconstruction.plot(
        rendered_presets(0), {"cnn": rendered_presets(1)}, SELECTION, NAMES, "title"
    ),
    "macro_controls": lambda: macro_controls.plot(traversals(["z0", "z1", "z2"], 4, active=1), "title"),
    "neighbourhood": lambda: neighbourhood.plot(traversals(["x", "y"], 3), latents(0), "title"),
    "interpolation": lambda: interpolation.plot(traversals(["latent", "parameters"], 4), "title"),
    "latent_space": lambda: latent_space.plot(latents(0), np.random.default_rng(0).normal(size=(30, 8, 10)), "title"),
    "semantic": lambda: semantic.plot(*SPACES, TAGS, PAIR, traversals(["z0"], 4), "title"),
    "smoothness": lambda: smoothness.plot(smoothness_table(), summarise(smoothness_table(), 1), "title"),
    "complexity": lambda: scaling.plot_parameter_count(parameter_count_table(), MODELS, "title"),
    "critical_difference": lambda: critical_difference.plot(score_table(), MODELS, "title"),
    "calibration": lambda: calibration.plot(*calibration_and_coverage(), "title"),
    "match": lambda: match.plot(*noise(), 22050, np.linspace(0, 1, len(NAMES)), NAMES, "title"),
    "transfer": lambda: transfer.plot(
        *rank_transfer({name: score_table(["cnn", "mlp", "vae"]) for name in ("one16", "two16")}, ("log_mel_l1",), 1)
    ),
    "amount": lambda: scaling.plot_amount(amount_table(), MODELS, "epochs", "title"),
}
MODULES = {name: {"complexity": "scaling", "amount": "scaling"}.get(name, name) for name in FIGURES}


def test_every_module_is_tested():
    modules = {path.stem for path in (ROOT / "flowsynth" / "figures").glob("*.py")}
    assert set(MODULES.values()) == modules - {"__init__", "pca_map", "style"}


@pytest.mark.parametrize("name", sorted(FIGURES.keys() - {"match"}))
def test_rules_supply_every_argument(name: str):
    rule = scripted_rules()[f"draw_{name}"]
    assert rule["module"] == MODULES[name]
    module = import_module(f"flowsynth.figures.{MODULES[name]}")
    assert signature(getattr(module, f"draw_{name}")).parameters.keys() <= set(rule["arguments"])


def save_twice(name: str, folder: Path, extension: str) -> bytes:
    for number in (0, 1):
        save(FIGURES[name](), folder / f"{number}.{extension}")
    first, second = ((folder / f"{number}.{extension}").read_bytes() for number in (0, 1))
    assert first == second
    return first


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_pdf_files_are_reproducible(name: str, tmp_path: Path):
    assert b"flowsynth" in save_twice(name, tmp_path, "pdf")


def test_png_files_are_reproducible(tmp_path: Path):
    assert b"flowsynth" in save_twice("latent_space", tmp_path, "png")


def test_scores_have_a_panel_per_metric_and_a_dot_per_fold():
    rows = score_table()
    figure = scores.plot(rows, MODELS, "title")
    assert len(figure.axes) == len(registry())
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["mean", "cnn"]
    dots = [x for collection in figure.axes[0].collections for x in collection.get_offsets()[:, 0]]
    name = next(iter(registry()))
    expected = rows[(rows["metric"] == name) & (rows["model"] != "oracle")]
    assert sorted(dots) == pytest.approx(sorted(expected.groupby(["model", "fold"])["value"].mean()))


def test_curves_show_trained_models_and_selected_epochs():
    figure = curves.plot(histories(), "title")
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["cnn", "vae"]
    dots = [[line.get_xydata()[0].tolist() for line in axis.lines if line.get_marker() == "o"] for axis in figure.axes]
    assert dots == [[[2.0, 0.2], [2.0, 0.2]], [[3.0, 1.0]]]
    with pytest.raises(ValueError, match="models mean"):
        curves.plot({"mean": [pd.DataFrame()]}, "title")


def test_macro_controls_show_the_most_active_dimension():
    lines = traversals(["z0", "z1", "z2"], 8, active=1)
    assert "Dimension z1" in macro_controls.plot(lines, "title").get_suptitle()
    assert "Dimension z2" in macro_controls.plot(lines, "title", 2).get_suptitle()
    with pytest.raises(ValueError, match="z3"):
        macro_controls.plot(lines, "title", 3)


def test_most_varying_parameters_come_first():
    estimates = np.stack([np.zeros(8), np.linspace(0, 1, 8), np.linspace(0, 0.5, 8)], axis=1)
    assert most_varying(estimates, 2) == [1, 2]


def test_auc_of_separated_words():
    assert semantic.most_separating(SEPARATED, TAGS) == 0
    assert semantic.auc(SEPARATED[:, 0], TAGS) > 0.95
    assert semantic.auc(-SEPARATED[:, 0], TAGS) < 0.05
    assert semantic.auc(np.zeros(30), TAGS) == 0.5


def test_pca_map_keeps_the_largest_variance():
    points = np.random.default_rng(0).normal(size=(200, 4)) * [0.1, 5, 0.1, 1]
    projected = PCAMap(points).project(points)
    assert abs(np.corrcoef(projected[:, 0], points[:, 1])[0, 1]) > 0.99
    assert abs(np.corrcoef(projected[:, 1], points[:, 3])[0, 1]) > 0.99


@pytest.mark.parametrize(
    ("measure", "low", "high", "smoother"),
    [
        ("unevenness", -2, -1, "latent"),
        ("unevenness", 1, 2, "native"),
        ("straightness", 1, 2, "latent"),
        ("straightness", -2, -1, "native"),
    ],
)
def test_difference_has_the_colour_of_the_smoother_kind(measure: str, low: float, high: float, smoother: str):
    assert smoothness._colour(measure, low, high) == smoothness.KIND_COLOURS[smoother]
    assert smoothness._colour(measure, -1, 1) not in smoothness.KIND_COLOURS.values()


def test_amount_is_plotted_with_its_interval():
    rows = amount_table()
    figure = scaling.plot_amount(rows, MODELS, "epochs", "title")
    assert {axis.get_xlabel() for axis in figure.axes} == {"epochs"}
    axis = figure.axes[0]
    assert axis.get_title(loc="left") == "Log-mel L1 ↓"
    means = rows[(rows["metric"] == "log_mel_l1") & (rows["model"] == "mean")].sort_values("amount")
    assert axis.lines[0].get_ydata() == pytest.approx(means["mean"])
    lows, highs = np.array([segment[:, 1] for segment in axis.collections[0].get_segments()]).T
    assert lows == pytest.approx(means["low"])
    assert highs == pytest.approx(means["high"])


def test_spectral_convergence_is_plotted_as_median():
    rows = amount_table()
    axis = scaling.plot_amount(rows, MODELS, "epochs", "title").axes[1]
    medians = rows[(rows["metric"] == "spectral_convergence") & (rows["model"] == "mean")].sort_values("amount")
    assert axis.lines[0].get_ydata() == pytest.approx(medians["median"])


def test_parameter_count_needs_two_data_sets():
    with pytest.raises(ValueError, match="16"):
        scaling.plot_parameter_count(parameter_count_table().query("parameters == 16"), MODELS, "title")


def test_mean_ranks_and_critical_difference():
    values = pd.DataFrame({"a": [1.0, 2, 3], "b": [2.0, 1, 2], "c": [3.0, 3, 1]})
    ranks = critical_difference.mean_ranks(values, lower=True)
    assert ranks.to_dict() == pytest.approx({"b": 5 / 3, "a": 2, "c": 7 / 3})
    assert critical_difference.mean_ranks(values, lower=False).index[0] == "c"
    # Demsar 2006: four classifiers, 14 data sets, q = 2.569
    assert critical_difference.critical_difference(4, 14) == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 14)), rel=1e-3)


def test_cliques_are_maximal_runs_of_close_ranks():
    ranks = pd.Series([1.0, 1.5, 2.2, 5.0, 5.1], index=list("abcde"))
    assert critical_difference.cliques(ranks, 1.0) == [(0, 1), (1, 2), (3, 4)]
    assert critical_difference.cliques(ranks, 0.01) == []
    assert critical_difference.cliques(ranks, 10) == [(0, 4)]
