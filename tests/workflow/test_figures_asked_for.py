"""Figures are targets by name, and run only the jobs that they depend on."""

import contextlib
import shutil

import pandas as pd
import pytest
from project import TINY, Project

from flowsynth.core import integrity

TRAVERSALS = {"traverse": 1, "render_traversals": 1}
DATA = {"presets", "render", "features", "split"}


@pytest.fixture
def with_latent(copy: Project) -> Project:
    """The finished benchmark, with a further model that is not trained yet."""
    copy.configure(models=[*TINY["models"], "vae"])
    return copy


def test_figure_of_a_new_model_trains_only_that_model(with_latent: Project):
    draw = {"draw_macro_controls": 1, "figure_macro_controls": 1}
    assert with_latent.planned("figure_macro_controls") == {"train": 1, **TRAVERSALS, **draw}
    run = with_latent.snakemake("figure_macro_controls")
    assert run.returncode == 0, run.stdout
    figures = with_latent.results / "figures" / "vae"
    assert {path.name for path in figures.iterdir()} == {"macro_controls.pdf", "macro_controls.png"}
    assert with_latent.planned("figure_macro_controls") == {}
    (figures / "macro_controls.png").unlink()
    assert with_latent.planned("figure_macro_controls") == draw
    # other dimensions use the same renderings
    other = figures.relative_to(with_latent.folder) / "macro_controls_z5.png"
    assert with_latent.planned(str(other)) == {"draw_macro_controls": 1}


def test_figures_of_selected_sounds_need_scores(with_latent: Project):
    selection = dict.fromkeys(("train", "predict", "select_examples"), 1)
    plan = with_latent.planned("figure_interpolation")
    assert plan == {**selection, **TRAVERSALS, "draw_interpolation": 1, "figure_interpolation": 1}
    plan = with_latent.planned("figure_smoothness")
    twice = dict.fromkeys(TRAVERSALS, 2)
    assert plan == {**selection, **twice, "smoothness": 1, "draw_smoothness": 1, "figure_smoothness": 1}


def test_default_run_draws_every_possible_figure(with_latent: Project, project: Project):
    plan = with_latent.planned()
    figures = {rule.removeprefix("draw_") for rule in plan if rule.startswith("draw_")}
    of_latent = {"macro_controls", "neighbourhood", "interpolation", "latent_space", "smoothness"}
    assert figures == {"scores", "critical_difference", "curves", "reconstruction", *of_latent}
    assert not plan.keys() & DATA
    plan = project.planned()
    assert not {f"draw_{name}" for name in of_latent} & plan.keys()
    project.configure(budgets={"tiny": {**TINY["budgets"]["tiny"], "datasets": ["amsynth16", "amsynth30"]}})
    assert project.planned("figure_complexity")["draw_complexity"] == 1


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("macro_controls", "a model with a latent, such as flow_reg or vae"),
        ("semantic", "the model flow_dis and another one with a latent"),
        ("complexity", "a budget with several data sets"),
        ("amount", "budgets drawn_N: drawn_0, drawn_10000 and so on"),
    ],
)
def test_impossible_figure_reports_what_it_needs(project: Project, name: str, needs: str):
    run = project.snakemake(f"figure_{name}", "--dry-run")
    assert run.returncode != 0
    assert f"figure_{name} needs {needs}: see config.yaml" in run.stdout


def test_scaling_with_epochs_trains_only_its_budgets(project: Project):
    tiny = TINY["budgets"]["tiny"]
    project.configure(budgets={"tiny": tiny, "epochs_2": {**tiny, "epochs": 2}, "epochs_4": {**tiny, "epochs": 4}})
    plan = project.planned("results/epochs/amount.png")
    assert plan["scaling"] == plan["draw_amount"] == 1
    assert plan["train"] == 2 * tiny["folds"]  # the cnn
    plan = project.planned("results/epochs/flow_question.csv")
    assert (plan["compare_flows"], plan["train"]) == (1, tiny["folds"])  # the longest
    project.configure(budgets={"tiny": tiny})
    for target in ("amount.png", "flow_question.csv"):
        run = project.snakemake(f"results/epochs/{target}", "--dry-run")
        assert run.returncode != 0
        assert "results/epochs/amount.png needs budgets epochs_N: epochs_8, epochs_64 and so on: see" in run.stdout


def test_scaling_with_epochs_is_summarised_and_drawn(copy: Project):
    tiny = TINY["budgets"]["tiny"]
    for name in ("epochs_2", "epochs_4"):
        for path in copy.results.glob("grouped/fold*/*/scores.csv"):
            target = copy.folder / "results" / name / path.relative_to(copy.results.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
            shutil.copy(f"{path}.json", f"{target}.json")
            with contextlib.chdir(copy.folder):  # checksums have relative paths
                integrity.record(target.relative_to(copy.folder))
    copy.configure(budgets={"tiny": tiny, "epochs_2": {**tiny, "epochs": 2}, "epochs_4": {**tiny, "epochs": 4}})
    targets = [f"results/epochs/{name}" for name in ("amount.png", "flow_question.csv")]
    run = copy.snakemake(*targets, "--allowed-rules", "scaling", "draw_amount", "compare_flows")
    assert run.returncode == 0, run.stdout
    table = pd.read_csv(copy.folder / "results" / "epochs" / "amount.csv")
    assert set(table["amount"]) == {2, 4}
    assert set(table["model"]) == set(TINY["models"])
    assert set(table["folds"]) == {tiny["folds"]}
    answers = pd.read_csv(copy.folder / "results" / "epochs" / "flow_question.csv")
    assert list(answers) == ["of", "question", "answer"]
    assert answers.empty  # no flow was trained


def test_scaling_with_drawn_presets_needs_equal_epochs(project: Project):
    tiny = TINY["budgets"]["tiny"]
    longer = {**tiny, "synthetic_presets": 10, "epochs": tiny["epochs"] + 1}
    project.configure(budgets={"tiny": tiny, "drawn_0": tiny, "drawn_10": longer})
    run = project.snakemake("figure_amount", "--dry-run")
    assert run.returncode != 0
    assert f"epochs is {tiny['epochs']} in drawn_0 and {tiny['epochs'] + 1} in drawn_10" in run.stdout


def test_every_figure_is_a_target(project: Project):
    listed = project.snakemake("--list-target-rules").stdout.split()
    figures = {name.removeprefix("figure_") for name in listed if name.startswith("figure_")}
    modules = {path.stem for path in (project.folder / "flowsynth" / "figures").glob("*.py")}
    # "match" belongs to a command; "scaling" draws two figures
    assert figures == modules - {"__init__", "match", "pca_map", "scaling", "style"} | {"amount", "complexity"}


def test_edit_of_a_figure_redraws_only_that_figure(copy: Project):
    file = copy.folder / "flowsynth" / "figures" / "scores.py"
    file.write_text(file.read_text().replace("LOG_SCALE_RATIO = 20", "LOG_SCALE_RATIO = 30"))
    assert copy.planned() == {"draw_scores": 1, "run_report": 1}
