"""End a job with the Snakemake process that started it, so that it cannot overlap with the job of the next run.

Snakemake passes its process id to its jobs in the environment, and each job polls that process. There is no polling
without /proc (outside Linux) or if the process is not visible (on another host, or in a container with its own PIDs).
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

VARIABLE = "FLOWSYNTH_RUN"
POLL_INTERVAL = 0.5  # seconds
PROC = Path("/proc")
BOOT = "sys/kernel/random/boot_id"


def parent_environment() -> dict[str, str]:
    """Return the environment that makes child processes end with this one; empty if unsupported."""
    try:
        _, _, start = _state(os.getpid())
        return {VARIABLE: f"{os.getpid()} {start} {_namespace()}"}
    except FileNotFoundError:
        return {}


def end_with_parent(on_end: Callable[[str], object]) -> None:
    """End this process and its descendants within a second of the process named in the environment, if there is one.

    Args:
        on_end: Called with the reason first.
    """
    pid, start, *namespace = (os.environ.get(VARIABLE) or "0 0").split(" ", 2)
    try:
        visible = namespace == [_namespace()]
    except FileNotFoundError:
        return
    if not visible:
        return
    if not _is_alive(int(pid), start):
        _end(int(pid), on_end)
    threading.Thread(target=_wait, args=(int(pid), start, on_end), daemon=True).start()


def _wait(pid: int, start: str, on_end: Callable[[str], object]) -> None:
    while _is_alive(pid, start):
        time.sleep(POLL_INTERVAL)
    _end(pid, on_end)


def _end(pid: int, on_end: Callable[[str], object]) -> None:
    """Kill this process and its descendants; running code cannot delay it."""
    try:
        on_end(f"the run that started this job, PID {pid}, has ended; the job ends too")
    finally:
        for process in [*_descendants(), os.getpid()]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue  # already ended


def _namespace() -> str:
    """Identify the scope of process ids: boot of the host, and PID namespace."""
    return f"{(PROC / BOOT).read_text(encoding='utf-8').strip()} {(PROC / 'self/ns/pid').readlink()}"


def _is_alive(pid: int, start: str) -> bool:
    """Whether a process runs: its id was not reused, and it is no zombie."""
    try:
        state, _, actual_start = _state(pid)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return actual_start == start and state not in "ZX"


def _descendants() -> list[int]:
    """List the descendants of this process."""
    parents: dict[int, int] = {}
    for path in PROC.iterdir():
        if path.name.isdecimal():
            try:
                parents[int(path.name)] = _state(int(path.name))[1]
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended meanwhile
    family = [os.getpid()]
    for member in family:  # grows during the iteration
        family += [pid for pid, parent in parents.items() if parent == member]
    return family[1:]


def _state(pid: int) -> tuple[str, int, str]:
    """Return state, parent and start time of a process, see proc(5)."""
    fields = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()
    return fields[0], int(fields[1]), fields[19]
