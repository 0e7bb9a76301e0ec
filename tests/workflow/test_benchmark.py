"""The tiny benchmark, from bank files to tables, and what is rerun after an edit."""

import hashlib
import json

import h5py
import pandas as pd
import yaml
from project import ROOT, Project

from flowsynth.evaluation.score_tables import KEY, SYSTEM_COLUMNS
from flowsynth.metrics import registry


def test_tables_have_all_models_and_a_perfect_oracle(finished: Project):
    table = pd.read_csv(finished.results / "tables" / "scores.csv")
    statistics = ["metric", "mean", "sd", "median", "folds", "items", "beats_mean"]
    assert list(table.columns) == ["model", *SYSTEM_COLUMNS, *statistics]
    assert list(table["model"].unique()) == ["oracle", "mean", "cnn"]
    for name, metric in registry().items():
        rows = table[table["metric"] == name].set_index("model")
        assert rows.loc["oracle", "mean"] == metric.perfect
        assert rows.loc["oracle", "sd"] == 0
        assert rows.loc["mean", "mean"] != metric.perfect
        assert (rows["folds"] == 2).all()
        assert (rows["items"] > 0).all()
    for suffix in ("md", "tex"):
        text = (finished.results / "tables" / f"scores.{suffix}").read_text()
        assert all(model in text for model in ("oracle", "mean", "cnn"))


def test_statistics_compare_the_models(finished: Project):
    comparisons = pd.read_csv(finished.results / "tables" / "comparisons.csv")
    assert set(comparisons["metric"]) == set(registry())
    assert set(zip(comparisons["first"], comparisons["second"], strict=True)) == {("cnn", "mean")}
    assert set(pd.read_csv(finished.results / "tables" / "anova.csv")["metric"]) == set(registry())


def test_costs_have_weights_and_times(finished: Project):
    table = pd.read_csv(finished.results / "tables" / "cost.csv").set_index("model")
    assert table.loc["mean", "weights"] == 0 < table.loc["cnn", "weights"]
    assert (table[["train_s", "infer_ms"]] > 0).all(axis=None)


def test_perceptual_distances_have_all_systems_on_a_sample_of_the_items(finished: Project):
    table = pd.read_csv(finished.results / "tables" / "perception.csv").set_index("model")
    assert set(table.index) == set(pd.read_csv(finished.results / "tables" / "scores.csv")["model"])
    assert (table["items"] == 8).all()  # four of each fold
    assert table.loc["oracle", "mean"] == 0
    assert (table.drop(index="oracle")["mean"] > 0).all()


def test_results_are_compared_with_the_paper(finished: Project):
    table = pd.read_csv(finished.results / "tables" / "paper.csv")
    assert table.dropna(subset="ours")["model"].unique().tolist() == ["cnn"]
    assert "not run" in (finished.results / "tables" / "paper.md").read_text()


def test_every_test_item_is_scored_exactly_once(finished: Project):
    scores = pd.read_csv(finished.results / "scores.csv", dtype={"item": str})
    split = pd.read_csv(finished.results / "split" / "grouped.csv", dtype={"id": str})
    assert not scores.duplicated(KEY).any()
    for (fold, _model, _metric, sample), group in scores.groupby(["fold", "model", "metric", "sample"]):
        expected = split.loc[(split["fold"] == fold) & (split["part"] == "test"), "id"]
        assert sorted(group["item"]) == sorted(expected)
        assert sample in (0, 1)


def test_training_and_test_sets_are_disjoint(finished: Project):
    """No preset, and no group of near-duplicates, is in the training set and another one."""
    split = pd.read_csv(finished.results / "split" / "grouped.csv", dtype={"id": str})
    for _, fold in split.groupby("fold"):
        parts = fold.groupby("part")["id"].agg(set)
        assert not parts["train"] & parts["test"]
        assert not parts["valid"] & parts["test"]
        assert not set(fold.loc[fold["part"] == "train", "group"]) & set(fold.loc[fold["part"] != "train", "group"])


def test_outputs_have_provenance(finished: Project):
    for path in finished.results.rglob("*.h5"):
        with h5py.File(path) as file:
            provenance = json.loads(file.attrs["maker"])
        assert {"flowsynth", "commit", "versions"} <= provenance.keys(), path
        if "audio" in path.parts or path.stem == "audio":
            assert {"plugin_sha256", "dawdreamer", "pitch", "velocity", "sample_rate"} <= provenance.keys(), path
    for path in finished.results.rglob("*.csv"):
        provenance = json.loads(path.with_name(path.name + ".json").read_text())
        assert {"flowsynth", "commit", "versions"} <= provenance.keys(), path
    for figure in ("scores", "curves", "reconstruction"):
        for kind in ("pdf", "png"):
            assert b"flowsynth" in (finished.results / "figures" / f"{figure}.{kind}").read_bytes()


def test_finished_run_plans_no_jobs(finished: Project):
    assert finished.planned() == {}


def test_deleted_figure_is_redrawn_alone(copy: Project):
    figure = copy.results / "figures" / "scores.pdf"
    content = figure.read_bytes()
    figure.unlink()
    assert copy.planned("figure_scores") == {"figure_scores": 1, "draw_scores": 1}
    assert copy.planned(str(figure.relative_to(copy.folder))) == {"draw_scores": 1}
    run = copy.snakemake(str(figure.relative_to(copy.folder)))
    assert run.returncode == 0, run.stdout
    assert figure.read_bytes() == content


def test_edit_of_a_model_reruns_only_that_model(copy: Project):
    file = copy.folder / "flowsynth" / "models" / "regression" / "cnn.py"
    file.write_text(file.read_text() + "\nEDITED = True\n")
    plan = copy.planned()
    assert plan == {
        "train": 2,
        "predict": 2,
        "collect_scores": 1,
        "summarise_scores": 1,
        "statistics": 1,
        "paper": 1,
        "cost": 1,
        "symmetry": 1,
        "perception": 2,
        "summarise_perception": 1,
        "select_examples": 1,
        "draw_scores": 1,
        "draw_critical_difference": 1,
        "draw_curves": 1,
        "draw_reconstruction": 1,
        "run_report": 1,
    }


def test_edit_of_texts_reruns_nothing(copy: Project):
    def edit(name: str, *parts: tuple[str, str]) -> None:
        path = copy.folder / name
        text = path.read_text()
        for old, new in parts:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text)

    edit(
        "flowsynth/models/regression/cnn.py",
        ('"""', '"""Another docstring. '),
        ("\n\nclass CNN", "\n\n# a comment\nclass CNN"),
    )
    edit("flowsynth/metrics/spectral.py", ("    check_pair(reference", "\n    check_pair(reference"))
    edit(
        "flowsynth/evaluation/scoring.py",
        ('log.info("', 'log.info("another text: '),
        ('raise ValueError(f"', 'raise ValueError(f"another text: '),
    )
    edit("flowsynth/training/loop.py", ('log.info("', 'log.info("another text: '))
    edit("flowsynth/core/progress.py", (" = 5.0", " = 2.0"))
    edit("workflow/scripts/training/train.py", ('"""', '"""Another docstring. '))
    assert copy.planned() == {}


def test_longer_timeout_reruns_nothing(copy: Project):
    render = yaml.safe_load((ROOT / "config.yaml").read_text())["render"]
    copy.configure(render=render | {"timeout": 30})
    assert copy.planned() == {}


def test_edit_of_a_metric_reruns_no_training(copy: Project):
    file = copy.folder / "flowsynth" / "metrics" / "spectral.py"
    file.write_text(file.read_text() + "\nEDITED = True\n")
    plan = copy.planned()
    assert plan["predict"] + plan["predict_control"] == 6
    assert not plan.keys() & {"render", "features", "train", "train_control"}


def test_verify_detects_changed_audio(copy: Project):
    path = copy.results / "audio" / "1.h5"
    with h5py.File(path, "r+") as file:
        file["audio"][0, 1000] += 1e-6
    run = copy.snakemake("verify")
    assert run.returncode != 0
    assert "audio/1.h5" in run.stdout
    relative = path.relative_to(copy.folder)
    path.with_name("1.h5.sha256").write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {relative}\n")
    run = copy.snakemake("verify")
    assert run.returncode != 0
    assert "1 differing items of 60" in run.stdout


def test_paper_budget_plans_all_models_folds_and_data_sets(project: Project):
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    (project.folder / "config.yaml").write_text(yaml.safe_dump(config))
    paper = config["budgets"]["paper"]
    plan = project.planned("--config", "budget=paper")
    datasets = [name for name in paper["datasets"] if name.startswith("amsynth")]
    trainings = len(config["models"]) * paper["folds"] * len(datasets)
    assert {plan[rule] + plan[f"{rule}_control"] for rule in ("train", "predict")} == {trainings}
    assert [plan[rule] for rule in ("collect_scores", "complexity")] == [3, 1]
    assert set(datasets) == {"amsynth16", "amsynth30", "amsynth41"}
    (project.folder / "config.yaml").write_text(yaml.safe_dump(config | {"models": ["oracle", "cnn"]}))
    assert project.planned("--config", "budget=paper", "synth=faust")["complexity"] == 1
