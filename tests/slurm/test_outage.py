"""A scheduler that stops answering: for some seconds it is waited for; where a run loses its jobs, it ends and says so."""

import time
from pathlib import Path

from cluster import Cluster, wait_for
from runs import Run, toy

from flowsynth.slurm import LOST


def test_a_run_that_lost_its_jobs_ends_with_advice_and_the_same_command_goes_on(cluster: Cluster, tmp_path: Path):
    patience = {"slurm-status-attempts": 8, "max-status-checks-per-second": 1}
    folder = toy(tmp_path / "toy", **patience)

    def running(rule: str) -> bool:
        return any(job["rule"] == rule and job["JobState"] == "RUNNING" for job in cluster.jobs(folder))

    lost = Run(folder, "comes_after.txt")
    try:
        wait_for(lambda: running("waits"), "a job to run")
        cluster.pause("slurmctld")
        time.sleep(14)  # longer than Snakemake waits for one answer, which is ten seconds
        cluster.resume("slurmctld")
        assert lost.wait(120) == 1, lost.text
    finally:
        cluster.resume("slurmctld")
        lost.kill()
    assert f"error: {LOST}" in lost.text
    assert (folder / "waits.txt").exists()
    assert not (folder / "comes_after.txt").exists()
    before = {job["JobId"] for job in cluster.jobs(folder)}

    again = Run(folder, "comes_after.txt")
    try:
        wait_for(lambda: running("comes_after"), "the job that is left to run")
        cluster.pause("slurmctld")
        time.sleep(4)
        cluster.resume("slurmctld")
        assert again.wait(120) == 0, again.text
    finally:
        cluster.resume("slurmctld")
        again.kill()
    assert [job["rule"] for job in cluster.jobs(folder) if job["JobId"] not in before] == ["comes_after"]
