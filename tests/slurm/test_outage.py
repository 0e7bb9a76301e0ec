"""A scheduler that stops answering: for some seconds it is waited for; where a run loses its jobs, it ends and says so."""

import time
from pathlib import Path

from cluster import Cluster, run, wait_for
from runs import Run, toy

from flowsynth.core.slurm_watch import LOST_JOBS, NO_ANSWER

LOOK = "Checking 1 active jobs with external IDs"  # the end of a look at the jobs; the next one is a second later
FORGOTTEN = "No active jobs; skipping status query."


def test_a_run_that_lost_its_jobs_ends_with_advice_and_the_same_command_goes_on(cluster: Cluster, tmp_path: Path):
    patience = {"slurm-status-attempts": 8, "max-status-checks-per-second": 1}
    folder = toy(tmp_path / "toy", **patience, verbose=True)
    targets = "waits.txt", "comes_after.txt"

    lost = Run(folder, *targets)
    try:
        wait_for((folder / "waiting").exists, "a job to run")
        looks = lost.text.count(LOOK)
        wait_for(lambda: lost.text.count(LOOK) > looks, "the run to look after it")
        with cluster.paused("slurmctld"):
            told = len(lost.text)
            wait_for(lambda: FORGOTTEN in lost.text[told:] or lost.ended, "the run to lose its job")
        (folder / "go").touch()
        assert lost.wait() == 1, lost.text
    finally:
        lost.kill()
    # a machine that is busy may take longer to lose the job than the run has patience
    assert any(f"error: {message}" in lost.text for message in (LOST_JOBS, NO_ANSWER)), lost.text
    wait_for(lambda: not run("squeue", "--noheader"), "an empty queue, as the message demands")
    left = [target for target in targets if not (folder / target).exists()]
    assert "comes_after.txt" in left
    known = {job["JobId"] for job in cluster.jobs(folder)}

    again = Run(folder, *targets)
    try:
        wait_for(lambda: any(job["JobState"] == "RUNNING" for job in cluster.jobs(folder)), "a job that is left to run")
        with cluster.paused("slurmctld"):
            time.sleep(4)
        assert again.wait() == 0, again.text
    finally:
        again.kill()
    assert [f"{job['rule']}.txt" for job in cluster.jobs(folder) if job["JobId"] not in known] == left
