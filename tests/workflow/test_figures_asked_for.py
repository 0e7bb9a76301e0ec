"""A figure is asked for by its name and costs what it needs and no more."""

import shutil

import pandas as pd
import pytest
from project import TINY, Project

EXPLORED = {"explore": 1, "resynthesise": 1}
DATA = {"presets", "render", "features", "split"}


@pytest.fixture
def with_latent(copy: Project) -> Project:
    """The finished benchmark, and a model more that is not trained yet."""
    copy.configure(models=[*TINY["models"], "vae"])
    return copy


def test_a_figure_of_a_new_model_trains_and_plays_that_model_alone_and_is_not_made_twice(with_latent: Project):
    drawing = {"draw_macro_controls": 1, "figure_macro_controls": 1}
    assert with_latent.planned("figure_macro_controls") == {"train": 1, **EXPLORED, **drawing}
    run = with_latent.snakemake("figure_macro_controls")
    assert run.returncode == 0, run.stdout
    figures = with_latent.results / "figures" / "vae"
    assert {path.name for path in figures.iterdir()} == {"macro_controls.pdf", "macro_controls.png"}
    assert with_latent.planned("figure_macro_controls") == {}
    (figures / "macro_controls.png").unlink()
    assert with_latent.planned("figure_macro_controls") == drawing
    # any other dimension is of the same sounds
    other = figures.relative_to(with_latent.folder) / "macro_controls_z5.png"
    assert with_latent.planned(str(other)) == {"draw_macro_controls": 1}


def test_the_figures_of_single_sounds_need_the_scores_of_their_model_too(with_latent: Project):
    answered = dict.fromkeys(("train", "infer", "selection"), 1)
    plan = with_latent.planned("figure_interpolation")
    assert plan == {**answered, **EXPLORED, "draw_interpolation": 1, "figure_interpolation": 1}
    plan = with_latent.planned("figure_smoothness")
    both = dict.fromkeys(EXPLORED, 2)
    assert plan == {**answered, **both, "smoothness": 1, "draw_smoothness": 1, "figure_smoothness": 1}


def test_the_default_run_has_every_figure_that_can_be_drawn(with_latent: Project, project: Project):
    plan = with_latent.planned()
    drawn = {rule.removeprefix("draw_") for rule in plan if rule.startswith("draw_")}
    of_one = {"macro_controls", "neighbourhood", "interpolation", "latent_space", "smoothness"}
    assert drawn == {"scores", "critical_difference", "curves", "reconstruction", *of_one}
    assert not plan.keys() & DATA
    plan = project.planned()
    assert not {f"draw_{name}" for name in of_one} & plan.keys()
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
def test_a_figure_that_can_not_be_drawn_says_what_it_needs(project: Project, name: str, needs: str):
    run = project.snakemake(f"figure_{name}", "--dry-run")
    assert run.returncode != 0
    assert f"figure_{name} needs {needs}: see config.yaml" in run.stdout


def test_longer_training_is_a_scale_of_its_own(project: Project):
    tiny = TINY["budgets"]["tiny"]
    project.configure(budgets={"tiny": tiny, "epochs_2": {**tiny, "epochs": 2}, "epochs_4": {**tiny, "epochs": 4}})
    plan = project.planned("results/epochs/amount.png")
    assert plan["amount"] == plan["draw_amount"] == 1
    assert plan["train"] == 2 * tiny["folds"]  # the cnn
    plan = project.planned("results/epochs/flow_question.csv")
    assert (plan["flow_question"], plan["train"]) == (1, tiny["folds"])  # the longest
    project.configure(budgets={"tiny": tiny})
    for target in ("amount.png", "flow_question.csv"):
        run = project.snakemake(f"results/epochs/{target}", "--dry-run")
        assert run.returncode != 0
        assert "results/epochs/amount.png needs budgets epochs_N: epochs_8, epochs_64 and so on: see" in run.stdout


def test_scores_of_longer_trainings_are_put_side_by_side_and_drawn(copy: Project):
    tiny = TINY["budgets"]["tiny"]
    for name in ("epochs_2", "epochs_4"):
        for path in copy.results.glob("grouped/fold*/*/scores.csv*"):
            there = copy.folder / "results" / name / path.relative_to(copy.results.parent)
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, there)
    copy.configure(budgets={"tiny": tiny, "epochs_2": {**tiny, "epochs": 2}, "epochs_4": {**tiny, "epochs": 4}})
    made = [f"results/epochs/{name}" for name in ("amount.png", "flow_question.csv")]
    run = copy.snakemake(*made, "--allowed-rules", "amount", "draw_amount", "flow_question")
    assert run.returncode == 0, run.stdout
    table = pd.read_csv(copy.folder / "results" / "epochs" / "amount.csv")
    assert set(table["amount"]) == {2, 4}
    assert set(table["model"]) == set(TINY["models"])
    assert set(table["folds"]) == {tiny["folds"]}
    answered = pd.read_csv(copy.folder / "results" / "epochs" / "flow_question.csv")
    assert list(answered) == ["of", "question", "answer"]
    assert answered.empty  # there is no flow among them


def test_drawn_presets_are_not_said_to_bring_what_longer_training_brings(project: Project):
    tiny = TINY["budgets"]["tiny"]
    longer = {**tiny, "sampled": 10, "epochs": tiny["epochs"] + 1}
    project.configure(budgets={"tiny": tiny, "drawn_0": tiny, "drawn_10": longer})
    run = project.snakemake("figure_amount", "--dry-run")
    assert run.returncode != 0
    assert f"epochs is {tiny['epochs']} in drawn_0 and {tiny['epochs'] + 1} in drawn_10" in run.stdout


def test_all_figures_are_listed(project: Project):
    listed = project.snakemake("--list-target-rules").stdout.split()
    drawn = {path.stem for path in (project.folder / "flowsynth" / "figures").glob("*.py")} - {
        "__init__",
        "common",
        "plane",
        "match",  # of a command
    }
    assert {name.removeprefix("figure_") for name in listed if name.startswith("figure_")} == drawn
