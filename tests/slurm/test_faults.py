"""Faults of jobs: each rule of the toy workflow suffers the fault in its name, all in one run."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import Cluster, run
from runs import Run, toy
from waiting import wait_until

RULES = ("crashes", "outgrows_its_memory", "outlasts_its_time", "is_cancelled", "loses_its_node")


class FaultyRun:
    """A run in which each job fails once, and Slurm's records of it."""

    def __init__(self, folder: Path, cluster: Cluster):
        self.folder, self.cluster = folder, cluster
        self.run = Run(folder, *(f"{rule}.txt" for rule in RULES))

    def attempts(self, rule: str) -> list[dict[str, str]]:
        """Slurm's records of the jobs of a rule, in order of submission."""
        jobs = [job for job in self.cluster.jobs(self.folder) if job["rule"] == rule]
        return sorted(jobs, key=lambda job: int(job["JobId"]))

    def running(self, rule: str) -> str | None:
        """Id of the running job of a rule, if any."""
        running = [job["JobId"] for job in self.attempts(rule) if job["JobState"] == "RUNNING"]
        return running[0] if running else None

    def disturb(self) -> None:
        """Cause the fault that each rule is named after, and wait for the end."""
        for rule in ("loses_its_node", "outlasts_its_time", "is_cancelled"):
            wait_until(lambda rule=rule: self.running(rule), f"{rule} is running")
        wait_until((self.folder / "started").exists, "loses_its_node has started")
        self.cluster.kill("n1")
        run("scontrol", "update", f"jobid={self.running('outlasts_its_time')}", "endtime=now+1")
        run("scancel", self.running("is_cancelled"))
        wait_until(lambda: self.attempts("loses_its_node")[0]["JobState"] == "PENDING", "the job is requeued")
        # Slurm delays a requeued job by two minutes
        run("scontrol", "update", f"jobid={self.attempts('loses_its_node')[0]['JobId']}", "starttime=now")
        self.status = self.run.wait()


@pytest.fixture(scope="module")
def faulty(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyRun]:
    faulty = FaultyRun(toy(tmp_path_factory.mktemp("faults") / "toy", retries=1), cluster)
    try:
        faulty.disturb()
        yield faulty
    finally:
        faulty.run.kill()
        cluster.restore()


def test_failing_job_ends_the_run_with_rule_and_log(faulty: FaultyRun):
    assert faulty.status == 1
    assert not (faulty.folder / "crashes.txt").exists()
    assert [job["JobState"] for job in faulty.attempts("crashes")] == ["FAILED", "FAILED"]
    logs = {Path(path) for path in re.findall(r"log: (\S*rule_crashes\S*?\.log)", faulty.run.text)}
    assert len(logs) == 2
    for log in logs:
        assert log.is_relative_to(faulty.folder / "results" / "logs" / "slurm")
        assert "the disk is broken" in log.read_text()
    assert "Error in rule crashes" in faulty.run.text


def test_job_out_of_memory_is_retried_with_more(faulty: FaultyRun):
    first, second = faulty.attempts("outgrows_its_memory")
    assert (first["JobState"], first["MinMemoryNode"]) == ("FAILED", "700M")
    assert (second["JobState"], second["MinMemoryNode"]) == ("COMPLETED", "1400M")
    assert (faulty.folder / "outgrows_its_memory.txt").exists()


def test_job_out_of_time_is_retried_with_more(faulty: FaultyRun):
    first, second = faulty.attempts("outlasts_its_time")
    assert first["JobState"] == "TIMEOUT"
    assert (second["JobState"], second["TimeLimit"]) == ("COMPLETED", "00:20:00")
    assert "SLURM status is: 'TIMEOUT'" in faulty.run.text


def test_cancelled_job_is_resubmitted(faulty: FaultyRun):
    assert [job["JobState"] for job in faulty.attempts("is_cancelled")] == ["CANCELLED", "COMPLETED"]
    assert (faulty.folder / "is_cancelled.txt").exists()


def test_job_of_a_failed_node_moves_to_another(faulty: FaultyRun):
    """Slurm itself requeues it, which does not count as an attempt."""
    (job,) = faulty.attempts("loses_its_node")
    assert (job["JobState"], job["Restarts"], job["NodeList"], job["NumCPUs"]) == ("COMPLETED", "1", "n2", "3")
    assert (faulty.folder / "loses_its_node.txt").exists()
