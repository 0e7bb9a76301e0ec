"""An unresponsive scheduler: short outages are tolerated; a run that loses its jobs ends with a message."""

import time
from pathlib import Path

from cluster import Cluster, run
from runs import Run, adapt, toy
from waiting import wait_until

from flowsynth.core.slurm_watch import LOST_JOBS, NO_ANSWER

POLL = "Checking 1 active jobs with external IDs"  # the end of a status query; the next one is a second later
NO_JOBS = "No active jobs; skipping status query."
OUTAGE = 4  # seconds; after 10 the plugin would query sacct, which this cluster does not have


def test_a_run_that_lost_its_jobs_ends_and_can_be_resumed(cluster: Cluster, tmp_path: Path):
    patience = {"slurm-status-attempts": 15, "max-status-checks-per-second": 1}
    folder = toy(tmp_path / "toy", **patience, verbose=True)
    targets = "waits.txt", "comes_after.txt"

    lost = Run(folder, *targets)
    try:
        wait_until((folder / "waiting").exists, "a job is running")
        polls = lost.text.count(POLL)
        wait_until(lambda: lost.text.count(POLL) > polls, "the run queries its job")
        with cluster.paused("slurmctld"):
            offset = len(lost.text)
            wait_until(lambda: NO_JOBS in lost.text[offset:] or lost.ended, "the run has lost its job")
        (folder / "go").touch()
        assert lost.wait() == 1, lost.text
    finally:
        lost.kill()
    # on a busy machine the run may lose patience before it loses the job
    assert any(f"error: {message}" in lost.text for message in (LOST_JOBS, NO_ANSWER)), lost.text
    wait_until(lambda: not run("squeue", "--noheader"), "the queue is empty")
    missing = [target for target in targets if not (folder / target).exists()]
    assert "comes_after.txt" in missing
    earlier = {job["JobId"] for job in cluster.jobs(folder)}

    adapt(folder, verbose=True)  # the patience of the profile
    resumed = Run(folder, *targets)
    try:
        wait_until((folder / "waiting_too").exists, "the last job is running")
        with cluster.paused("slurmctld"):
            time.sleep(OUTAGE)
        (folder / "finish").touch()
        assert resumed.wait() == 0, resumed.text
    finally:
        resumed.kill()
    assert [f"{job['rule']}.txt" for job in cluster.jobs(folder) if job["JobId"] not in earlier] == missing
