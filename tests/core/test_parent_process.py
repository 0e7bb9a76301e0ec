"""A job ends with the process that has started it, and takes along what it has started itself."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from flowsynth.core import parent_process

# starts a job in a shell, which starts a process of its own; all of their ids are printed
LEADS = """
import os, subprocess, sys
from flowsynth.core.parent_process import leading
os.environ.update(leading())
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


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ended(*pids: int) -> bool:
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids)


def start(log: Path, late: float = 0) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", LEADS, JOB, str(log), str(late)], stdout=subprocess.PIPE, text=True)


def test_a_job_ends_with_what_has_started_it(tmp_path: Path):
    with start(tmp_path / "log") as leader:
        pids = [int(pid) for _ in range(2) for pid in leader.stdout.readline().split()]
        assert len(pids) == 3
        assert not ended(pids[1])
        leader.kill()  # which nobody has asked how it ended: it is a zombie
        wait_until(lambda: ended(*pids[1:]), 5)
    assert f"PID {leader.pid}, has ended" in (tmp_path / "log").read_text()


def test_a_job_does_not_begin_when_what_has_started_it_has_ended(tmp_path: Path):
    with start(tmp_path / "log", late=2) as leader:
        leader.stdout.readline()
        wait_until(lambda: len(psutil.Process(leader.pid).children(recursive=True)) == 2)
        jobs = [child.pid for child in psutil.Process(leader.pid).children(recursive=True)]
        leader.kill()
        leader.wait()
        wait_until(lambda: ended(*jobs))
        assert leader.stdout.read() == ""
    assert not (tmp_path / "log").exists()


def test_a_process_id_that_was_given_again_is_not_followed_for_another():
    pid, began, *_ = parent_process.leading()[parent_process.VARIABLE].split(" ", 2)
    assert parent_process._lives(int(pid), began)
    assert not parent_process._lives(int(pid), str(int(began) + 1))
    assert pid == str(os.getpid())


@pytest.mark.parametrize("place", ["", "1 2 another-host pid:[4026531836]"])
def test_what_can_not_be_seen_is_not_followed(monkeypatch: pytest.MonkeyPatch, place: str):
    monkeypatch.setenv(parent_process.VARIABLE, place)
    monkeypatch.setattr(parent_process, "_end", pytest.fail)
    parent_process.follow(pytest.fail)


def test_without_proc_nothing_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parent_process, "PROC", tmp_path)
    monkeypatch.setattr(parent_process, "_end", pytest.fail)
    assert parent_process.leading() == {}
    parent_process.follow(pytest.fail)
