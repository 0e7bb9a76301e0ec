"""A job and its descendants end with the process that started it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from flowsynth.core import parent_process

# starts a job in a shell; the job starts a child; prints the process ids
PARENT = """
import os, subprocess, sys
from flowsynth.core.parent_process import parent_environment
os.environ.update(parent_environment())
job = [sys.executable, "-c", sys.argv[1], *sys.argv[2:]]
print(os.getpid(), flush=True)
subprocess.Popen(["bash", "-c", '"$@"; true', "bash", *job]).wait()
"""
JOB = """
import os, subprocess, sys, time
from pathlib import Path
from flowsynth.core.progress import job
time.sleep(float(sys.argv[2]))
with job(Path(sys.argv[1])):
    sleeping = subprocess.Popen(["sleep", "100"])
    print(os.getpid(), sleeping.pid, flush=True)
    time.sleep(100)
"""


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def have_ended(*pids: int) -> bool:
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids)


def start(log: Path, delay: float = 0) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, JOB, str(log), str(delay)], stdout=subprocess.PIPE, text=True
    )


def test_a_job_ends_with_its_parent(tmp_path: Path):
    with start(tmp_path / "log") as parent:
        pids = [int(pid) for _ in range(2) for pid in parent.stdout.readline().split()]
        assert len(pids) == 3
        assert not have_ended(pids[1])
        parent.kill()  # not waited for: a zombie
        wait_until(lambda: have_ended(*pids[1:]), 5)
    assert f"PID {parent.pid}, has ended" in (tmp_path / "log").read_text()


def test_a_job_does_not_start_without_its_parent(tmp_path: Path):
    with start(tmp_path / "log", delay=2) as parent:
        parent.stdout.readline()
        wait_until(lambda: len(psutil.Process(parent.pid).children(recursive=True)) == 2)
        jobs = [child.pid for child in psutil.Process(parent.pid).children(recursive=True)]
        parent.kill()
        parent.wait()
        wait_until(lambda: have_ended(*jobs))
        assert parent.stdout.read() == ""
    assert not (tmp_path / "log").exists()


def test_a_reused_process_id_counts_as_ended():
    pid, start, *_ = parent_process.parent_environment()[parent_process.VARIABLE].split(" ", 2)
    assert parent_process._is_alive(int(pid), start)
    assert not parent_process._is_alive(int(pid), str(int(start) + 1))
    assert pid == str(os.getpid())


@pytest.mark.parametrize("value", ["", "1 2 another-host pid:[4026531836]"])
def test_invisible_parents_are_ignored(monkeypatch: pytest.MonkeyPatch, value: str):
    monkeypatch.setenv(parent_process.VARIABLE, value)
    monkeypatch.setattr(parent_process, "_end", pytest.fail)
    parent_process.end_with_parent(pytest.fail)


def test_parents_are_ignored_without_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parent_process, "PROC", tmp_path)
    monkeypatch.setattr(parent_process, "_end", pytest.fail)
    assert parent_process.parent_environment() == {}
    parent_process.end_with_parent(pytest.fail)
