"""A job ends when the Snakemake that started it does, however that ends: else it would go on beside the next run's job.

A Snakemake names itself in the environment of its jobs, and a job looks whether it is still there. Where there is no /proc,
as outside of Linux, and where the process can't be seen, as on another host or from a container with processes of its own,
jobs follow nobody.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

VARIABLE = "FLOWSYNTH_RUN"
EVERY = 0.5  # seconds
PROC = Path("/proc")
BOOT = "sys/kernel/random/boot_id"


def leading() -> dict[str, str]:
    """Environment of what shall follow this process; empty where nothing can."""
    try:
        _, _, start = _state(os.getpid())
        return {VARIABLE: f"{os.getpid()} {start} {_place()}"}
    except FileNotFoundError:
        return {}


def follow(ending: Callable[[str], object]) -> None:
    """End this process and all that it has started within a second of the process that it follows, if there is one.

    Args:
        ending: Is told why before that.
    """
    pid, start, *place = (os.environ.get(VARIABLE) or "0 0").split(" ", 2)
    try:
        seen = place == [_place()]
    except FileNotFoundError:
        return
    if not seen:
        return
    if not _lives(int(pid), start):
        _end(int(pid), ending)
    threading.Thread(target=_wait, args=(int(pid), start, ending), daemon=True).start()


def _wait(pid: int, start: str, ending: Callable[[str], object]) -> None:
    while _lives(pid, start):
        time.sleep(EVERY)
    _end(pid, ending)


def _end(pid: int, ending: Callable[[str], object]) -> None:
    """End as a crash does: nothing that is being called can put it off."""
    try:
        ending(f"the run that started this job, PID {pid}, has ended; the job ends too")
    finally:
        for process in [*_descendants(), os.getpid()]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it has ended by itself


def _place() -> str:
    """What process ids are valid in: a host since its start, and a namespace of it."""
    return f"{(PROC / BOOT).read_text().strip()} {(PROC / 'self/ns/pid').readlink()}"


def _lives(pid: int, start: str) -> bool:
    """Whether a process is there, is no other one that has got its id, and has not ended without anybody asking how."""
    try:
        state, _, started = _state(pid)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return started == start and state not in "ZX"


def _descendants() -> list[int]:
    """Processes that this one has started, and that those have."""
    parents: dict[int, int] = {}
    for path in PROC.iterdir():
        if path.name.isdecimal():
            try:
                parents[int(path.name)] = _state(int(path.name))[1]
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended
    found = [os.getpid()]
    for parent in found:  # it grows meanwhile
        found += [pid for pid, its_parent in parents.items() if its_parent == parent]
    return found[1:]


def _state(pid: int) -> tuple[str, int, str]:
    """State, parent and start time of a process, see proc(5)."""
    fields = (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(") ")[2].split()
    return fields[0], int(fields[1]), fields[19]
