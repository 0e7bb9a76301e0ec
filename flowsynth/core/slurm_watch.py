"""The queue of a Slurm cluster, watched by a run that has submitted jobs to it.

A run that loses track of its jobs, as when the scheduler does not answer for long, would wait for them for ever. What can
be seen from outside: Slurm has no unfinished job of its folder, and the run goes on waiting.
"""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from flowsynth.core.progress import log

LOST = (
    "Slurm has no job of this run any more, and the run still waits for some: it has lost track of them. It ends here; "
    "what its jobs have finished is kept. Give the same command again to go on."
)
SILENT = (
    "Slurm has not answered for long, and the run has lost track of its jobs. It ends here; what its jobs finish is kept. "
    "When squeue answers again and shows none of them, give the same command again to go on."
)


def queue(folder: Path) -> dict[str, str] | None:
    """List the jobs that were submitted from a folder and are not over.

    Args:
        folder: Working directory of the jobs.

    Returns:
        What holds each of them up, by job id, as Slurm says it (``None`` for one that runs); or None if Slurm does not
        answer.
    """
    command = ["squeue", "--me", "--noheader", "--format=%i|%r|%Z"]
    try:
        lines = subprocess.run(command, check=True, text=True, capture_output=True, timeout=60).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return None
    rows = [line.split("|", 2) for line in lines]
    return {number: reason for number, reason, where in rows if where == str(folder)}


def watch(folder: Path, patience: float, every: float, jobs: Callable[[Path], dict[str, str] | None] = queue) -> str:
    """Watch a run until Slurm has had no job of it for too long; jobs that are held are logged, once each.

    Args:
        folder: Working directory of the run's jobs.
        patience: Seconds without a job of the run, be it that there is none or that Slurm does not answer.
        every: Seconds between two looks.
        jobs: Lists the jobs of a folder.

    Returns:
        What happened and what to do, for whoever started the run.
    """
    seen, told = time.monotonic(), set()
    while True:
        found = jobs(folder)
        waited = time.monotonic() - seen
        if found:
            seen += waited
        elif waited > patience:
            return LOST if found is not None else SILENT
        for number, reason in (found or {}).items():
            if "held" in reason.lower() and number not in told:
                told.add(number)
                log.warning("Slurm holds job %s (%s). To let it start: scontrol release %s", number, reason, number)
        time.sleep(every)
