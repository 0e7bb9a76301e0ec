"""The tiny benchmark through Slurm from presets to tables: what Slurm has on record, and the same files as a local run."""

import re
from collections import Counter
from dataclasses import dataclass

import pandas as pd
import pytest
from cluster import NODES, Cluster
from project import Project
from runs import Run, adapt, profile

MODELS = ["oracle", "cnn"]
CONFIG = ["budget=tiny", f"models=[{','.join(MODELS)}]"]
FEWER = "budgets: {tiny: {folds: 1}}"  # than the local run has
TABLES = "results/tiny/amsynth16/tables/scores.csv"


@dataclass
class Whole:
    """The project after its run, what each job asked for, and what Slurm has on record, both by Slurm's job id."""

    project: Project
    asked: dict[str, dict[str, str]]
    records: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def whole(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    project = Project.make(tmp_path_factory.mktemp("whole") / "project")
    project.commit()
    # where git does not look: products name the commit, which is to be that of the local run
    fewer = project.folder / "results" / "fewer.yaml"
    fewer.parent.mkdir()
    fewer.write_text(FEWER)
    # both ways to ask for a GPU
    rules = profile()["set-resources"]
    gpu = {**rules["train"], "gpu_model": "fake"}
    gres = {key: value for key, value in rules["infer"].items() if key != "gpu"} | {"gres": "gpu:fake:1"}
    adapt(
        project.folder, **{"config": CONFIG, "configfile": [str(fewer)], "set-resources": {"train": gpu, "infer": gres}}
    )
    run = Run(project.folder, TABLES)
    assert run.wait(780) == 0, run.text
    said = "".join(path.read_text() for path in (project.folder / ".snakemake" / "log").glob("*.snakemake.log"))
    return Whole(project, asked(said), {job["JobId"]: job for job in cluster.jobs(project.folder)})


def asked(text: str) -> dict[str, dict[str, str]]:
    """What Snakemake says it asks for, by Slurm's job id: rule, threads and resources."""
    jobs = {}
    for rule, block in re.findall(r"^rule (\w+):\n((?: +.*\n)+)", text, re.MULTILINE):
        fields = dict(re.findall(r"^ +(\w+): (.*)$", block, re.MULTILINE))
        resources = dict(item.split("=", 1) for item in fields["resources"].split(", "))
        jobs[fields["jobid"]] = {"rule": rule, "threads": fields.get("threads", "1"), **resources}
    submitted = re.findall(r"^Job (\d+) has been submitted with SLURM jobid (\d+)", text, re.MULTILINE)
    return {number: jobs[job] for job, number in submitted}


def test_each_job_ran_in_slurm_once(whole: Whole, cluster: Cluster):
    assert whole.asked.keys() == whole.records.keys()
    assert Counter(job["rule"] for job in whole.records.values()) == whole.project.planned(
        TABLES, "--forceall", "--configfile", "results/fewer.yaml", "--config", *CONFIG
    )
    finished = cluster.completed()
    for number in whole.records:
        assert finished[number]["JobState"] == "COMPLETED"
        assert finished[number]["WorkDir"] == str(whole.project.folder)
        assert finished[number]["NodeList"] in NODES


def test_slurm_gave_each_job_what_its_rule_asks_for(whole: Whole):
    for number, job in whole.records.items():
        expected = whole.asked[number]
        hours, minutes, _ = map(int, job["TimeLimit"].split(":"))
        assert job["rule"] == expected["rule"]
        assert job["NumCPUs"] == expected["threads"]
        assert f"mem={expected['mem_mb']}M" in job["TRES"].split(",")
        assert 60 * hours + minutes == int(expected["runtime"])
        assert job["Partition"] == expected["slurm_partition"]
        assert job["Requeue"] == "1"


def test_models_that_are_trained_have_a_gpu_and_nothing_else_has(whole: Whole):
    for job in whole.records.values():
        found = job["Partition"], job.get("TresPerJob"), job.get("TresPerNode")
        expected = {"train": ("gpu", "gres:gpu:fake:1", None), "infer": ("gpu", None, "gres:gpu:fake:1")}
        assert found == expected.get(job["rule"], ("cpu", None, None)), job["rule"]


def test_the_files_are_those_of_a_local_run(whole: Whole, finished: Project):
    products = ["presets.csv", "audio/*.h5", "features/*.h5", *[f"grouped/fold0/{model}/*.*" for model in MODELS]]
    for pattern in products:
        paths = sorted(path.relative_to(finished.results) for path in finished.results.glob(pattern))
        paths = [path for path in paths if not path.name.startswith("selection.")]  # of figures: this run has none
        assert paths, pattern
        for path in paths:
            assert (whole.project.results / path).read_bytes() == (finished.results / path).read_bytes(), path


def test_the_split_and_the_scores_are_those_of_a_local_run(whole: Whole, finished: Project):
    for name in ("scores.csv", "split/grouped.csv"):
        here, there = (pd.read_csv(project.results / name, dtype=str) for project in (finished, whole.project))
        here = here[here["fold"] == "0"]
        if "model" in here:
            assert set(there["model"]) == set(MODELS) < set(here["model"])
            here = here[here["model"].isin(MODELS)]
        pd.testing.assert_frame_equal(here.reset_index(drop=True), there)


def test_no_log_of_a_job_that_succeeded_is_left(whole: Whole):
    assert list((whole.project.folder / "results" / "logs" / "slurm").rglob("*.log")) == []
