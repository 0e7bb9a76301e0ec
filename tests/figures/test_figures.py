"""Figures show what they are given, draw without a warning, and are the same file each time."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from flowsynth.data.semantics import SEMANTIC_PAIRS
from flowsynth.evaluation import calibration as of_calibration
from flowsynth.evaluation.parameter_count import METRICS as OF_COMPLEXITY
from flowsynth.evaluation.scaling import scores_by_amount as of_amount
from flowsynth.figures import (
    calibration,
    critical_difference,
    curves,
    interpolation,
    latent_space,
    macro_controls,
    match,
    neighbourhood,
    parameter_count,
    reconstruction,
    scaling,
    scores,
    semantic,
    smoothness,
)
from flowsynth.figures.pca_map import Map
from flowsynth.figures.style import moving, save
from flowsynth.latent_space.rendered import RenderedTraversals
from flowsynth.latent_space.smoothness import measure_controls, summarise
from flowsynth.metrics import registry

MODELS = ["oracle", "mean", "cnn"]
NAMES = ("a", "b_c", "d", "e", "f", "g", "h")


def scored(models: list[str] = MODELS) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        ("quick", "amsynth16", "grouped", fold, model, str(item), 0, metric, 0.0 if model == "oracle" else rng.random())
        for fold in range(2)
        for model in models
        for item in range(5)
        for metric in registry()
    ]
    columns = ["budget", "dataset", "split", "fold", "model", "item", "sample", "metric", "value"]
    return pd.DataFrame(rows, columns=columns)


def heard(ids: list[str], steps: int, moves: int | None = None) -> RenderedTraversals:
    """Lines of made-up sounds; of one line parameters move much more than of others."""
    rng = np.random.default_rng(0)
    parameters = len(NAMES)
    lines = len(ids)
    estimates = 0.5 + 0.01 * rng.normal(size=(lines, steps, parameters))
    if moves is not None:
        estimates[moves, :, 2] = np.linspace(0, 1, steps)
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
    warmed = plain.assign(
        **{f"{part}/parameters": [9.0, 8.0, 7.0, 1.0, 2.0] for part in ("train", "valid")},
        **{"valid/selection": [np.inf, np.inf, 7.0, 1.0, 2.0]},
    )
    return {"mean": [plain.head(0)], "cnn": [plain, plain], "vae": [warmed]}


def sounded(seed: int) -> reconstruction.Sounded:
    rng = np.random.default_rng(seed)
    return reconstruction.Sounded(rng.random((3, len(NAMES))), rng.random((3, 8, 10)))


def both() -> pd.DataFrame:
    sides = ([f"{i}/z{d}" for i in range(3) for d in range(3)], [f"{i}/{n}" for i in range(3) for n in NAMES[:3]])
    return measure_controls(*(heard(ids, 8) for ids in sides))


def sizes() -> pd.DataFrame:
    rows = [(n, m, k, 0.1 * n, 0.01) for n in (16, 30) for m in ("mean", "cnn") for k in OF_COMPLEXITY]
    return pd.DataFrame(rows, columns=["parameters", "model", "metric", "mean", "sd"])


def drawing() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Calibration of two models that draw presets, and its coverage."""
    rng, rows, curves = np.random.default_rng(0), [], []
    for model in ("mdn", "npe_nsf"):
        truth, draws = rng.random((30, len(NAMES))), rng.random((30, 16, len(NAMES)))
        rows.append(of_calibration.calibration_table(model, NAMES, truth, draws, truth.std(axis=0), 0))
        curves.append(of_calibration.coverage(of_calibration.ranks(truth, draws, 0).flatten(), 16).assign(model=model))
    return pd.concat(rows), pd.concat(curves)


TAGS = np.repeat([1.0, -1.0, 0.0], 10)
PARTED = latents(2) + np.outer(TAGS, np.eye(len(NAMES), dtype=np.float32)[0]).astype(np.float32) * 5
PAIR = SEMANTIC_PAIRS["bright_dark"]
CHOSEN = pd.DataFrame({"role": ["best", "typical", "worst"], "item": ["x", "y", "z"]})
ONE = np.linspace(0, 1, len(NAMES)), NAMES
DRAWINGS: dict[str, Callable[[], Figure]] = {
    "scores": lambda: scores.draw(scored(), MODELS, "title"),
    "curves": lambda: curves.draw(histories(), "title"),
    "reconstruction": lambda: reconstruction.draw(sounded(0), {"cnn": sounded(1)}, CHOSEN, NAMES, "title"),
    "macro_controls": lambda: macro_controls.draw(heard(["z0", "z1", "z2"], 4, moves=1), "title"),
    "neighbourhood": lambda: neighbourhood.draw(heard(["x", "y"], 3), latents(0), "title"),
    "interpolation": lambda: interpolation.draw(heard(["latent", "parameters"], 4), "title"),
    "latent_space": lambda: latent_space.draw(latents(0), np.random.default_rng(0).normal(size=(30, 8, 10)), "title"),
    "semantic": lambda: semantic.draw(("vae", latents(0)), ("dis", PARTED), TAGS, PAIR, heard(["z0"], 4), "title"),
    "smoothness": lambda: smoothness.draw(both(), summarise(both(), 1), "title"),
    "complexity": lambda: parameter_count.draw(sizes(), MODELS, "title"),
    "critical_difference": lambda: critical_difference.draw(scored(), MODELS, "title"),
    "calibration": lambda: calibration.draw(*drawing(), "title"),
    "match": lambda: match.draw(*np.random.default_rng(0).normal(size=(2, 88200)).astype("f4"), 22050, *ONE, "title"),
    "amount": lambda: scaling.draw(of_amount({0: scored(), 10000: scored()}, 1), MODELS, "epochs", "title"),
}


def test_every_figure_is_drawn_here():
    folder = Path(scores.__file__).parent
    assert set(DRAWINGS) == {path.stem for path in folder.glob("*.py")} - {"__init__", "common", "plane"}


def same(name: str, folder: Path, kind: str) -> bytes:
    """The file of a figure, which is drawn and written twice."""
    for number in (0, 1):
        save(DRAWINGS[name](), folder / f"{number}.{kind}")
    first, again = ((folder / f"{number}.{kind}").read_bytes() for number in (0, 1))
    assert first == again
    return first


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_same_data_gives_the_same_file(name: str, tmp_path: Path):
    assert b"flowsynth" in same(name, tmp_path, "pdf")


def test_pictures_are_the_same_too(tmp_path: Path):
    assert b"flowsynth" in same("latent_space", tmp_path, "png")


def test_a_panel_for_each_metric_and_a_dot_for_each_fold():
    rows = scored()
    figure = scores.draw(rows, MODELS, "title")
    assert len(figure.axes) == len(registry())
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["mean", "cnn"]
    dots = [x for collection in figure.axes[0].collections for x in collection.get_offsets()[:, 0]]
    name = next(iter(registry()))
    shown = rows[(rows["metric"] == name) & (rows["model"] != "oracle")]
    assert sorted(dots) == pytest.approx(sorted(shown.groupby(["model", "fold"])["value"].mean()))


def test_the_curves_are_of_what_was_trained_and_the_dot_is_the_epoch_kept():
    figure = curves.draw(histories(), "title")
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["cnn", "vae"]
    dots = [[line.get_xydata()[0].tolist() for line in axis.lines if line.get_marker() == "o"] for axis in figure.axes]
    assert dots == [[[2.0, 0.2], [2.0, 0.2]], [[3.0, 1.0]]]
    with pytest.raises(ValueError, match="none of the models mean is trained"):
        curves.draw({"mean": [pd.DataFrame()]}, "title")


def test_macro_controls_show_the_dimension_that_moves_most_or_the_one_asked_for():
    lines = heard(["z0", "z1", "z2"], 8, moves=1)
    assert macro_controls.most_moving(lines.estimates) == 1
    assert "Dimension z1" in macro_controls.draw(lines, "title").get_suptitle()
    assert "Dimension z2" in macro_controls.draw(lines, "title", 2).get_suptitle()
    with pytest.raises(ValueError, match="z3: the latent has the dimensions z0 to z2"):
        macro_controls.draw(lines, "title", 3)


def test_the_parameters_that_move_most_come_first():
    estimates = np.stack([np.zeros(8), np.linspace(0, 1, 8), np.linspace(0, 0.5, 8)], axis=1)
    assert moving(estimates, 2) == [1, 2]


def test_words_are_parted_by_the_dimension_that_does_so():
    assert semantic.best(PARTED, TAGS) == 0
    assert semantic.parted(PARTED[:, 0], TAGS) > 0.95
    assert semantic.parted(-PARTED[:, 0], TAGS) < 0.05
    assert semantic.parted(np.zeros(30), TAGS) == 0.5


def test_a_map_keeps_what_varies_most():
    points = np.random.default_rng(0).normal(size=(200, 4)) * [0.1, 5, 0.1, 1]
    plane = Map(points)
    places = plane.place(points)
    assert abs(np.corrcoef(places[:, 0], points[:, 1])[0, 1]) > 0.99
    assert abs(np.corrcoef(places[:, 1], points[:, 3])[0, 1]) > 0.99


@pytest.mark.parametrize(
    ("measure", "low", "high", "who"),
    [
        ("unevenness", -2, -1, "latent"),
        ("unevenness", 1, 2, "native"),
        ("straightness", 1, 2, "latent"),
        ("straightness", -2, -1, "native"),
    ],
)
def test_the_colour_is_that_of_the_smoother(measure: str, low: float, high: float, who: str):
    assert smoothness._smoother(measure, low, high) == smoothness.KINDS[who]
    assert smoothness._smoother(measure, -1, 1) not in smoothness.KINDS.values()


def test_more_and_more_is_what_the_axes_say():
    figure = DRAWINGS["amount"]()
    assert {axis.get_xlabel() for axis in figure.axes} == {"epochs"}
    assert figure.axes[0].get_title(loc="left") == "Log-mel L1 ↓"


def test_one_size_alone_is_no_comparison():
    with pytest.raises(ValueError, match="nothing to compare"):
        parameter_count.draw(sizes().query("parameters == 16"), MODELS, "title")


def test_ranks_are_over_items_and_the_critical_difference_is_that_of_the_books():
    values = pd.DataFrame({"a": [1.0, 2, 3], "b": [2.0, 1, 2], "c": [3.0, 3, 1]})
    assert critical_difference.ranks(values, lower=True).to_dict() == pytest.approx({"b": 5 / 3, "a": 2, "c": 7 / 3})
    assert critical_difference.ranks(values, lower=False).index[0] == "c"
    # Demsar 2006: four classifiers, 14 data sets, q = 2.569
    assert critical_difference.critical(4, 14) == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 14)), rel=1e-3)


def test_models_that_are_close_stand_together():
    means = pd.Series([1.0, 1.5, 2.2, 5.0, 5.1], index=list("abcde"))
    assert critical_difference.cliques(means, 1.0) == [(0, 1), (1, 2), (3, 4)]
    assert critical_difference.cliques(means, 0.01) == []
    assert critical_difference.cliques(means, 10) == [(0, 4)]
