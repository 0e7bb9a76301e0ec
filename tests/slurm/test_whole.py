"""A split, a training and its predictions, rendered, on Slurm: Slurm's records, and the same files as a local run."""

import re
import shutil
from dataclasses import dataclass

import pytest
from cluster import NODES, Cluster
from project import Project
from runs import Run, adapt, profile

FOLD = "grouped/fold0/cnn"
REMADE = ("split/grouped.csv", f"{FOLD}/checkpoint.pt", f"{FOLD}/scores.csv")
RULES = ["split", "train", "predict"]
TARGET = f"results/tiny/amsynth16/{FOLD}/scores.csv"


@dataclass
class SlurmRun:
    """The project after its run, with requested resources and Slurm's records by Slurm job id."""

    project: Project
    requests: dict[str, dict[str, str]]
    records: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def slurm_run(cluster: Cluster, finished: Project, tmp_path_factory: pytest.TempPathFactory) -> SlurmRun:
    folder = tmp_path_factory.mktemp("whole") / "project"
    project = Project(shutil.copytree(finished.folder, folder, symlinks=True))
    shutil.rmtree(folder / ".snakemake" / "log")
    for name in REMADE:
        (project.results / name).unlink()
    # both ways to request a GPU
    rules = profile()["set-resources"]
    gpu = {**rules["train"], "gpu_model": "fake"}
    gres = {key: value for key, value in rules["predict"].items() if key != "gpu"} | {"gres": "gpu:fake:1"}
    adapt(folder, **{"config": ["budget=tiny"], "set-resources": {"train": gpu, "predict": gres}})
    run = Run(folder, TARGET)
    assert run.wait() == 0, run.text
    log = "".join(path.read_text() for path in (folder / ".snakemake" / "log").glob("*.snakemake.log"))
    return SlurmRun(project, parse_requests(log), {job["JobId"]: job for job in cluster.jobs(folder)})


def parse_requests(text: str) -> dict[str, dict[str, str]]:
    """Parse rule, threads and resources of each job from Snakemake's log, by Slurm job id."""
    jobs = {}
    for rule, block in re.findall(r"^rule (\w+):\n((?: +.*\n)+)", text, re.MULTILINE):
        fields = dict(re.findall(r"^ +(\w+): (.*)$", block, re.MULTILINE))
        resources = dict(item.split("=", 1) for item in fields["resources"].split(", "))
        jobs[fields["jobid"]] = {"rule": rule, "threads": fields.get("threads", "1"), **resources}
    submitted = re.findall(r"^Job (\d+) has been submitted with SLURM jobid (\d+)", text, re.MULTILINE)
    return {number: jobs[job] for job, number in submitted}


def test_each_job_ran_once_on_slurm(slurm_run: SlurmRun, cluster: Cluster):
    assert slurm_run.requests.keys() == slurm_run.records.keys()
    assert sorted(job["rule"] for job in slurm_run.records.values()) == sorted(RULES)
    finished = cluster.completed()
    for number in slurm_run.records:
        assert finished[number]["JobState"] == "COMPLETED"
        assert finished[number]["WorkDir"] == str(slurm_run.project.folder)
        assert finished[number]["NodeList"] in NODES


def test_each_job_got_its_requested_resources(slurm_run: SlurmRun):
    for number, job in slurm_run.records.items():
        expected = slurm_run.requests[number]
        hours, minutes, _ = map(int, job["TimeLimit"].split(":"))
        assert job["rule"] == expected["rule"]
        assert job["NumCPUs"] == expected["threads"]
        assert f"mem={expected['mem_mb']}M" in job["TRES"].split(",")
        assert 60 * hours + minutes == int(expected["runtime"])
        assert job["Partition"] == expected["slurm_partition"]
        assert job["Requeue"] == "1"


def test_only_trained_models_get_a_gpu(slurm_run: SlurmRun):
    for job in slurm_run.records.values():
        actual = job["Partition"], job.get("TresPerJob"), job.get("TresPerNode")
        expected = {"train": ("gpu", "gres:gpu:fake:1", None), "predict": ("gpu", None, "gres:gpu:fake:1")}
        assert actual == expected.get(job["rule"], ("cpu", None, None)), job["rule"]


def test_files_are_identical_to_a_local_run(slurm_run: SlurmRun, finished: Project):
    assert {path.name for path in (finished.results / FOLD).glob("*.*")} > {"checkpoint.pt", "audio.h5", "scores.csv"}
    for pattern in ("split/grouped.csv", f"{FOLD}/*.*"):
        for path in sorted(path.relative_to(finished.results) for path in finished.results.glob(pattern)):
            assert (slurm_run.project.results / path).read_bytes() == (finished.results / path).read_bytes(), path


def test_logs_of_successful_jobs_are_removed(slurm_run: SlurmRun):
    assert list((slurm_run.project.folder / "results" / "logs" / "slurm").rglob("*.log")) == []
