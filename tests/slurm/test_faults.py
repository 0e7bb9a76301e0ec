"""What clusters do to jobs: each rule of the toy workflow meets with what its name says, all in one run."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import Cluster, run, wait_for
from runs import Run, toy

RULES = ("crashes", "outgrows_its_memory", "outlasts_its_time", "is_cancelled", "loses_its_node")


class Mishaps:
    """A run in which everything went wrong once, and Slurm's records of it."""

    def __init__(self, folder: Path, cluster: Cluster):
        self.folder, self.cluster = folder, cluster
        self.run = Run(folder, *(f"{rule}.txt" for rule in RULES))

    def attempts(self, rule: str) -> list[dict[str, str]]:
        """Slurm's records of the jobs of a rule, in the order of their submission."""
        jobs = [job for job in self.cluster.jobs(self.folder) if job["rule"] == rule]
        return sorted(jobs, key=lambda job: int(job["JobId"]))

    def running(self, rule: str) -> str | None:
        """Id of the job of a rule that runs."""
        found = [job["JobId"] for job in self.attempts(rule) if job["JobState"] == "RUNNING"]
        return found[0] if found else None

    def disturb(self) -> None:
        """Do to each job what its rule is named after, and wait for the end."""
        for rule in ("loses_its_node", "outlasts_its_time", "is_cancelled"):
            wait_for(lambda rule=rule: self.running(rule), f"{rule} to run")
        wait_for((self.folder / "started").exists, "loses_its_node to begin")
        self.cluster.kill("n1")
        run("scontrol", "update", f"jobid={self.running('outlasts_its_time')}", "endtime=now+1")
        run("scancel", self.running("is_cancelled"))
        wait_for(lambda: self.attempts("loses_its_node")[0]["JobState"] == "PENDING", "the job to be queued again")
        # Slurm lets a job that is queued again wait for two minutes
        run("scontrol", "update", f"jobid={self.attempts('loses_its_node')[0]['JobId']}", "starttime=now")
        self.status = self.run.wait()


@pytest.fixture(scope="module")
def mishaps(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mishaps]:
    mishaps = Mishaps(toy(tmp_path_factory.mktemp("faults") / "toy", retries=1), cluster)
    try:
        mishaps.disturb()
        yield mishaps
    finally:
        mishaps.run.kill()
        cluster.restore()


def test_a_job_that_fails_ends_the_run_with_its_rule_and_its_log(mishaps: Mishaps):
    assert mishaps.status == 1
    assert not (mishaps.folder / "crashes.txt").exists()
    assert [job["JobState"] for job in mishaps.attempts("crashes")] == ["FAILED", "FAILED"]
    logs = {Path(found) for found in re.findall(r"log: (\S*rule_crashes\S*?\.log)", mishaps.run.text)}
    assert len(logs) == 2
    for log in logs:
        assert log.is_relative_to(mishaps.folder / "results" / "logs" / "slurm")
        assert "the disk is on fire" in log.read_text()
    assert "Error in rule crashes" in mishaps.run.text


def test_a_job_out_of_memory_gets_more(mishaps: Mishaps):
    first, second = mishaps.attempts("outgrows_its_memory")
    assert (first["JobState"], first["MinMemoryNode"]) == ("FAILED", "700M")
    assert (second["JobState"], second["MinMemoryNode"]) == ("COMPLETED", "1400M")
    assert (mishaps.folder / "outgrows_its_memory.txt").exists()


def test_a_job_out_of_time_gets_more(mishaps: Mishaps):
    first, second = mishaps.attempts("outlasts_its_time")
    assert first["JobState"] == "TIMEOUT"
    assert (second["JobState"], second["TimeLimit"]) == ("COMPLETED", "00:20:00")
    assert "SLURM status is: 'TIMEOUT'" in mishaps.run.text


def test_a_job_that_is_cancelled_is_submitted_again(mishaps: Mishaps):
    assert [job["JobState"] for job in mishaps.attempts("is_cancelled")] == ["CANCELLED", "COMPLETED"]
    assert (mishaps.folder / "is_cancelled.txt").exists()


def test_a_job_whose_node_goes_down_is_run_by_another_node(mishaps: Mishaps):
    """Slurm itself puts it into the queue again, and no attempt is used up."""
    (job,) = mishaps.attempts("loses_its_node")
    assert (job["JobState"], job["Restarts"], job["NodeList"], job["NumCPUs"]) == ("COMPLETED", "1", "n2", "3")
    assert (mishaps.folder / "loses_its_node.txt").exists()
