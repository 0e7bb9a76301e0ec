"""Settings that the workflow derives from the configuration."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowsynth.config.settings import SERIES, RunSettings, budget_series, job_sizes, ood_models, resolve

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
DENSITY_SYSTEMS = ["flow_reg_best16", "mdn_best16", "flow_matching_best16", "npe_nsf_best16"]
LATENT_FIGURES = {"macro_controls", "neighbourhood", "interpolation", "latent_space", "smoothness"}


def run(*models: str, **changes: Any) -> RunSettings:
    return resolve(CONFIG | {"models": list(models), "out_of_domain": {}} | changes)


def series(**budgets: dict[str, Any]) -> dict[str, Any]:
    common = {"datasets": ["amsynth16", "faust16"], "folds": 2, "epochs": 1, "synthetic_presets": 0}
    return {
        "budgets": {name: common | budget for name, budget in budgets.items()},
        "models": ["cnn"],
        "split": "random",
    }


def test_models_are_trained_once_for_all_their_systems():
    settings = run("oracle", "npe_nsf_best16", "npe_nsf", "cnn", "npe_nsf_best4_refined8", "cnn_seed2")
    assert settings.models == ["oracle", "npe_nsf", "cnn"]
    assert settings.trained_models == ["npe_nsf", "cnn"]


def test_a_budget_may_have_its_own_models_and_datasets():
    settings = resolve(CONFIG | {"budget": "cpu"})
    assert settings.systems == CONFIG["budgets"]["cpu"]["models"] != CONFIG["models"]
    assert settings.datasets == ["amsynth16", "amsynth30"]
    assert settings.density_systems == DENSITY_SYSTEMS  # neither controls, nor the surrogate, nor searches
    assert resolve(CONFIG | {"budget": "paper", "synth": "faust"}).datasets == ["faust16", "faust32", "faust64"]


@pytest.mark.parametrize(
    ("models", "displayed"),
    [
        (["vae", "flow_reg", "ae"], "flow_reg"),  # the configured one
        (["vae", "ae", "cnn"], "ae"),  # the last one with a latent space
        (["cnn", "mlp"], "mlp"),  # the last one
    ],
)
def test_display_model(models: list[str], displayed: str):
    assert run(*models, display_model="flow_reg").display_model == displayed


def test_a_display_model_without_latent_space_is_replaced():
    assert run("vae", "cnn", display_model="cnn").display_model == "vae"


def test_complete_run_lacks_no_figure():
    models = ["oracle", "vae", "flow_dis", "npe_nsf_best16"]
    settings = run(*models, budget="paper", budgets={"paper": {**CONFIG["budgets"]["paper"]}})
    assert settings.unavailable_figures == {}
    assert settings.contrast_model == "vae"
    assert settings.displayed_systems == models[1:]


def test_figures_that_controls_can_not_have():
    unavailable = run("oracle", "mean").unavailable_figures
    assert unavailable.keys() == LATENT_FIGURES | {
        "critical_difference",
        "curves",
        "semantic",
        "calibration",
        "complexity",
    }


def test_semantic_figure_needs_two_latent_spaces():
    assert "semantic" in run("flow_dis", "cnn").unavailable_figures
    assert "semantic" in run("vae", "ae").unavailable_figures
    assert "semantic" not in run("flow_dis", "ae").unavailable_figures


def test_collections_without_their_packages_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    folder, absent = str(tmp_path), str(tmp_path / "absent")
    collections = {
        "hums": {"kind": "hums"},
        "mine": {"kind": "folder", "path": folder, "package": "some-sounds"},
        "away": {"kind": "folder", "path": absent, "package": "some-sounds"},
        "font": {"kind": "soundfont", "path": absent, "package": "some-font"},
    }
    settings = run("cnn", out_of_domain=collections)
    assert settings.collections == ["hums", "mine"]
    assert settings.missing_packages == {"away": ["some-sounds"], "font": ["some-font", "fluidsynth"]}


def test_search_is_a_model_only_if_sounds_are_searched():
    budgets = {name: {"out_of_domain": {"search_items": count}} for name, count in (("some", 3), ("none", 0))}
    config = {"budgets": budgets, "models": ["oracle", "cnn_best4", "cnn"]}
    assert ood_models(config, "some") == ["cnn", "search"]
    assert ood_models(config, "none") == ["cnn"]


def test_series_has_the_scores_of_its_budgets():
    config = series(epochs_8={"epochs": 8, "models": ["mlp"]}, epochs_64={"epochs": 64, "models": ["mlp"]}, other={})
    result = budget_series(config, "epochs")
    assert result.problem == ""
    assert result.amounts == {"epochs_8": 8, "epochs_64": 64}
    assert result.largest == "epochs_64"
    assert result.systems == ["mlp"]
    path = "results/epochs_8/amsynth16/random/fold{}/mlp/scores.csv"
    assert result.scores["epochs_8"] == [path.format(fold) for fold in (0, 1)]


def test_series_must_differ_in_one_setting_only():
    config = series(drawn_0={}, drawn_5={"synthetic_presets": 5, "epochs": 2})
    problem = budget_series(config, "drawn").problem
    assert "figure_amount needs budgets drawn_N that differ in synthetic_presets alone" in problem
    assert "epochs is 1 in drawn_0 and 2 in drawn_5" in problem


def test_series_without_budgets_names_examples():
    result = budget_series(series(other={}), "drawn")
    assert result.problem == "figure_amount needs budgets drawn_N: drawn_0, drawn_10000 and so on: see config.yaml"
    assert result.largest is None


@pytest.mark.parametrize("name", SERIES)
def test_series_of_the_configuration_are_complete(name: str):
    assert budget_series(CONFIG, name).problem == ""


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (5000, [5000]), (5001, [5000, 1]), (12000, [5000, 5000, 2000])])
def test_synthetic_presets_are_divided_among_jobs(count: int, sizes: list[int]):
    assert job_sizes(count) == sizes
