"""Wait for other processes, on a busy machine too. psutil's errors for processes that end meanwhile are handled here."""

import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

import psutil

T = TypeVar("T")
DEADLINE = 900.0  # seconds; only a failing test waits that long


def wait_until(condition: Callable[[], T], what: str, seconds: float = DEADLINE) -> T:
    """Wait until a condition holds, and return its value.

    Args:
        condition: Called again and again.
        what: What is awaited, for the message of a failure.
        seconds: Time after which the test fails.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)
    return value


def has_ended(process: psutil.Process) -> bool:
    """Whether a process has ended; its parent need not have waited for it."""
    try:
        return not process.is_running() or process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return True


def children(pid: int | None = None, recursive: bool = False) -> list[psutil.Process]:
    """Return the running children of a process, by default this one; none if it has ended."""
    try:
        return [child for child in psutil.Process(pid).children(recursive) if not has_ended(child)]
    except psutil.NoSuchProcess:
        return []


def command_line(process: psutil.Process) -> str:
    """Return the command line of a process; empty if it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def send_signal(process: psutil.Process, number: int) -> None:
    """Send a signal to a process, unless it has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)
