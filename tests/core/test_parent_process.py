"""A job and its descendants end with the process that started it."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from waiting import has_ended, wait_until

from flowsynth.core import parent_process

# starts a job in a shell; the job waits for a file and starts a child; prints the process ids
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
print(os.getpid(), flush=True)
while not Path(sys.argv[2]).exists():
    time.sleep(0.01)
with job(Path(sys.argv[1])):
    child = subprocess.Popen(["sleep", "10000"])
    print(child.pid, flush=True)
    time.sleep(10000)
"""


def start(log: Path, go: Path) -> subprocess.Popen:
    command = [sys.executable, "-c", PARENT, JOB, str(log), str(go)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def read_process(parent: subprocess.Popen) -> psutil.Process:
    return psutil.Process(int(parent.stdout.readline()))


def test_a_job_ends_with_its_parent(tmp_path: Path):
    (tmp_path / "go").touch()
    with start(tmp_path / "log", tmp_path / "go") as parent:
        _, job, child = (read_process(parent) for _ in range(3))
        assert not has_ended(job)
        parent.kill()  # not waited for: a zombie
        wait_until(lambda: has_ended(job) and has_ended(child), "the job and its child have ended")
    assert f"PID {parent.pid}, has ended" in (tmp_path / "log").read_text()


def test_a_job_does_not_start_without_its_parent(tmp_path: Path):
    with start(tmp_path / "log", tmp_path / "go") as parent:
        _, job = (read_process(parent) for _ in range(2))
        parent.kill()
        parent.wait()
        (tmp_path / "go").touch()
        wait_until(lambda: has_ended(job), "the job has ended")
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
