"""Watch the Slurm queue for a run that has lost track of its jobs.

Snakemake can lose track of its jobs, for example when the scheduler is unresponsive for long, and then waits for them
forever. The observable symptom is that Slurm lists no unfinished job of the folder while the run is still waiting.
"""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from flowsynth.core.progress import log

LOST_JOBS = (
    "Slurm has no jobs of this run left, but the run still waits for some: it has lost track of them. The run ends "
    "now; results of finished jobs are kept. Repeat the same command to resume."
)
NO_ANSWER = (
    "Slurm has been unresponsive for too long, and the run has lost track of its jobs. The run ends now; results of "
    "jobs that finish are kept. When squeue responds again and lists none of them, repeat the same command to resume."
)


def list_jobs(folder: Path) -> dict[str, str] | None:
    """List the unfinished jobs that were submitted from a folder.

    Args:
        folder: Working directory of the jobs.

    Returns:
        Slurm's pending reason by job id (``None`` for a running job), or None if Slurm does not respond.
    """
    command = ["squeue", "--me", "--noheader", "--format=%i|%r|%Z"]
    try:
        lines = subprocess.run(
            command, check=True, encoding="utf-8", capture_output=True, timeout=60
        ).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return None
    rows = [line.split("|", 2) for line in lines]
    return {job_id: reason for job_id, reason, workdir in rows if workdir == str(folder)}


def watch(
    folder: Path, patience: float, interval: float, lister: Callable[[Path], dict[str, str] | None] = list_jobs
) -> str:
    """Poll Slurm until it has listed no job of a run for too long; log each held job once.

    Args:
        folder: Working directory of the run's jobs.
        patience: Seconds without a listed job, whether there is none or Slurm does not respond.
        interval: Seconds between polls.
        lister: Lists the jobs of a folder.

    Returns:
        A message for the user: what happened and what to do.
    """
    last_seen, reported = time.monotonic(), set()
    while True:
        jobs = lister(folder)
        idle = time.monotonic() - last_seen
        if jobs:
            last_seen += idle
        elif idle > patience:
            return LOST_JOBS if jobs is not None else NO_ANSWER
        for job_id, reason in (jobs or {}).items():
            if "held" in reason.lower() and job_id not in reported:
                reported.add(job_id)
                log.warning("Slurm holds job %s (%s). To release it: scontrol release %s", job_id, reason, job_id)
        time.sleep(interval)
