"""Resources requested by the profile, according to a dry run; no cluster is needed."""

import os
import re
import subprocess
import sys

import pytest
import yaml
from project import ROOT
from rules import scripted_rules
from runs import profile

from flowsynth.models import base as models

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def plan() -> str:
    """Output of a dry run in the root of the repository."""
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", "--profile", "slurm", "all", "--dry-run", "--forceall", "--nolock"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert run.returncode == 0, run.stdout
    return run.stdout


def jobs(plan: str, rule: str) -> list[str]:
    return re.findall(rf"^rule {rule}:\n((?: +.*\n)+)", plan, re.MULTILINE)


def test_profile_is_found_and_runs_the_paper_budget(plan: str):
    assert re.search(r"Using profiles? slurm\b", plan)
    assert jobs(plan, "train")
    assert all("budget=paper" in job for job in jobs(plan, "train"))


def test_dry_run_lists_the_requested_resources(plan: str):
    rules = {"render": "cpu", "train_control": "cpu", "predict_control": "cpu", "train": "gpu", "predict": "gpu"}
    for rule, partition in rules.items():
        assert jobs(plan, rule)
        for job in jobs(plan, rule):
            assert f"slurm_partition={partition}" in job
            assert re.search(r"mem_mb=\d+, .*runtime=\d+", job)
            assert ("gpu=1" in job) == (partition == "gpu")
    threads = yaml.safe_load((ROOT / "config.yaml").read_text())["budgets"]["paper"]["threads"]
    assert threads > 1
    assert all(f"threads: {threads}" in job for job in jobs(plan, "train"))


def test_controls_get_no_gpu(plan: str):
    configured = yaml.safe_load((ROOT / "config.yaml").read_text())["models"]
    controls = {name for name in configured if issubclass(models.find(name), models.Control)}
    for rule in ("train", "predict"):
        for name, expected in ((f"{rule}_control", controls), (rule, set(configured) - controls)):
            planned = {re.search(r"\bmodel=(\w+)", job)[1] for job in jobs(plan, name)}
            assert planned == expected, name


def test_rules_with_a_gpu_are_those_of_networks():
    """All rules of training or inference of a network, except controls, get a GPU."""
    text = "".join(path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    derived = re.findall(r"^use rule (?:train|predict|predict_candidates) as (\w+) with", text, re.MULTILINE)
    expected = {
        "train",
        "predict",
        "predict_candidates",
        "surrogate_search",
        *(name for name in derived if not name.endswith("_control")),
    }
    assert set(profile()["set-resources"]) == expected
    assert all(re.search(rf"^(?:use )?rule .*\b{name}\b", text, re.MULTILINE) for name in expected)


def test_every_job_requests_time_and_memory_by_attempt():
    """Defaults of a site would hide a rule without a request."""
    assert not {"mem_mb", "runtime"} & profile()["default-resources"].keys()
    for name, rule in scripted_rules().items():
        first, *others = rule["requests"]
        assert min(first.values()) > 0, name
        for attempt, request in enumerate(others, start=2):
            assert request == {resource: attempt * amount for resource, amount in first.items()}, name
