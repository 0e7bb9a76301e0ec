"""The tiny benchmark, from bank files to tables."""

import json

import h5py
import pandas as pd
import yaml
from project import ROOT, Project

from flowsynth.evaluation.summary import KEY
from flowsynth.metrics import registry


def test_the_tables_have_all_models_and_a_perfect_oracle(finished: Project):
    table = pd.read_csv(finished.results / "tables" / "scores.csv")
    assert list(table.columns) == ["model", "metric", "mean", "sd", "median", "folds", "items", "beats_mean"]
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


def test_the_statistics_compare_the_models(finished: Project):
    comparisons = pd.read_csv(finished.results / "tables" / "comparisons.csv")
    assert set(comparisons["metric"]) == set(registry())
    assert set(zip(comparisons["first"], comparisons["second"], strict=True)) == {("cnn", "mean")}
    assert set(pd.read_csv(finished.results / "tables" / "anova.csv")["metric"]) == set(registry())


def test_the_costs_are_those_of_the_models(finished: Project):
    table = pd.read_csv(finished.results / "tables" / "cost.csv").set_index("model")
    assert table.loc["mean", "weights"] == 0 < table.loc["cnn", "weights"]
    assert (table[["train_s", "infer_ms"]] > 0).all(axis=None)


def test_ours_stand_beside_the_papers(finished: Project):
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


def test_training_never_sees_a_test_item(finished: Project):
    """The controls remember the training part; none of its presets is in the test part."""
    split = pd.read_csv(finished.results / "split" / "grouped.csv", dtype={"id": str})
    for _, fold in split.groupby("fold"):
        parts = fold.groupby("part")["id"].agg(set)
        assert not parts["train"] & parts["test"]
        assert not parts["valid"] & parts["test"]
        assert not set(fold.loc[fold["part"] == "train", "group"]) & set(fold.loc[fold["part"] != "train", "group"])


def test_every_output_names_its_maker(finished: Project):
    for path in finished.results.rglob("*.h5"):
        with h5py.File(path) as file:
            made = json.loads(file.attrs["maker"])
        assert {"flowsynth", "commit", "versions"} <= made.keys(), path
        if "audio" in path.parts or path.stem == "audio":
            assert {"plugin_sha256", "dawdreamer", "pitch", "velocity", "sample_rate"} <= made.keys(), path
    for path in finished.results.rglob("*.csv"):
        made = json.loads(path.with_name(path.name + ".json").read_text())
        assert {"flowsynth", "commit", "versions"} <= made.keys(), path
    for figure in ("scores", "curves", "reconstruction"):
        for kind in ("pdf", "png"):
            assert b"flowsynth" in (finished.results / "figures" / f"{figure}.{kind}").read_bytes()


def test_nothing_to_do_after_a_run(finished: Project):
    assert finished.planned() == {}


def test_a_deleted_figure_is_made_alone(copy: Project):
    figure = copy.results / "figures" / "scores.pdf"
    content = figure.read_bytes()
    figure.unlink()
    assert copy.planned("figure_scores") == {"figure_scores": 1, "draw_scores": 1}
    assert copy.planned(str(figure.relative_to(copy.folder))) == {"draw_scores": 1}
    run = copy.snakemake(str(figure.relative_to(copy.folder)))
    assert run.returncode == 0, run.stdout
    assert figure.read_bytes() == content


def test_an_edit_of_a_model_reruns_that_model_alone(copy: Project):
    file = copy.folder / "flowsynth" / "models" / "regression" / "cnn.py"
    file.write_text(file.read_text() + "\nEDITED = True\n")
    plan = copy.planned()
    assert plan == {
        "train": 2,
        "infer": 2,
        "scores": 1,
        "tables": 1,
        "statistics": 1,
        "paper": 1,
        "cost": 1,
        "symmetry": 1,
        "selection": 1,
        "draw_scores": 1,
        "draw_critical_difference": 1,
        "draw_curves": 1,
        "draw_reconstruction": 1,
        "build_page": 1,
    }


def test_an_edit_of_text_reruns_nothing(copy: Project):
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
        ("holds sounds of other", "has sounds of other"),
    )
    edit("flowsynth/training/loop.py", ("%s: epoch %d of %d", "%s: the epoch %d of %d"))
    edit("flowsynth/core/progress.py", ("EVERY = 5.0", "EVERY = 2.0"))
    edit("workflow/scripts/train.py", ('"""Train', '"""Fit'))
    assert copy.planned() == {}


def test_a_longer_timeout_reruns_nothing(copy: Project):
    render = yaml.safe_load((ROOT / "config.yaml").read_text())["render"]
    copy.configure(render=render | {"timeout": 30})
    assert copy.planned() == {}


def test_an_edit_of_a_metric_reruns_no_training(copy: Project):
    file = copy.folder / "flowsynth" / "metrics" / "spectral.py"
    file.write_text(file.read_text() + "\nEDITED = True\n")
    plan = copy.planned()
    assert plan["infer"] + plan["infer_control"] == 6
    assert not plan.keys() & {"render", "features", "train", "train_control"}


def test_verify_finds_no_difference_and_any_that_is_made(copy: Project):
    run = copy.snakemake("verify")
    assert run.returncode == 0, run.stdout
    assert "0 differing items of 60" in run.stdout
    path = copy.results / "audio" / "1.h5"
    with h5py.File(path, "r+") as file:
        file["audio"][0, 1000] += 1e-6
    run = copy.snakemake("verify")
    assert run.returncode != 0
    assert "audio/1.h5 is damaged" in run.stdout
    checksum = path.with_name("1.h5.sha256")
    checksum.write_text(_sha256(path) + "  1.h5\n")
    run = copy.snakemake("verify")
    assert run.returncode != 0
    assert "1 differing items of 60" in run.stdout


def _sha256(path):
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_paper_budget_plans_every_model_fold_and_data_set(project: Project):
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    (project.folder / "config.yaml").write_text(yaml.safe_dump(config))
    paper = config["budgets"]["paper"]
    plan = project.planned("--config", "budget=paper")
    ours = [name for name in paper["datasets"] if name.startswith("amsynth")]
    trainings = len(config["models"]) * paper["folds"] * len(ours)
    assert {plan[rule] + plan[f"{rule}_control"] for rule in ("train", "infer")} == {trainings}
    assert [plan[rule] for rule in ("scores", "complexity")] == [3, 1]
    assert set(ours) == {"amsynth16", "amsynth30", "amsynth41"}
    assert project.planned("--config", "budget=paper", "synth=faust")["complexity"] == 1
