"""The watch over Slurm's queue ends where it has to, and nowhere else."""

import logging
from pathlib import Path

import pytest

from flowsynth.core.slurm_watch import LOST, SILENT, queue, watch

HERE = Path("/somewhere")


def listing(*answers):
    """A list of jobs that changes with each look, and stays at its last."""
    looks = list(answers)
    return lambda folder: looks.pop(0) if len(looks) > 1 else looks[0]


class Clock:
    """In the place of the module time: it goes on only while somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("flowsynth.core.slurm_watch.time", clock)
    return clock


@pytest.mark.parametrize(("answer", "message"), [({}, LOST), (None, SILENT)])
def test_a_run_is_lost_when_it_has_had_no_job_for_too_long(clock: Clock, answer, message):
    assert watch(HERE, 60, 7, listing({"7": "None"}, {"7": "None"}, answer)) == message
    assert 7 + 60 < clock.now <= 7 + 60 + 7


def test_a_run_is_waited_for_as_long_as_it_has_jobs_now_and_then(clock: Clock):
    looks = [{"7": "None"}, {}, None, {}] * 100
    assert watch(HERE, 60, 15, listing(*looks, {})) == LOST
    assert clock.now > 15 * len(looks)


def test_a_job_that_is_held_is_told_once(caplog: pytest.LogCaptureFixture):
    held = {"7": "JobHeldUser", "8": "Priority"}
    with caplog.at_level(logging.WARNING, "flowsynth"):
        watch(HERE, 60, 7, listing(held, held, held, {}))
    assert [record.getMessage() for record in caplog.records] == [
        "Slurm holds job 7 (JobHeldUser). To let it start: scontrol release 7"
    ]


def squeue(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program in the place of squeue."""
    program = folder / "squeue"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_the_queue_is_that_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    squeue(tmp_path, "echo '7|None|/somewhere'; echo '8|Priority|/somewhere/else'; echo '9|A|B|/x'", monkeypatch)
    assert queue(HERE) == {"7": "None"}


@pytest.mark.parametrize("script", ["exit 1", "echo 'slurm_load_jobs error' >&2; exit 1"])
def test_a_queue_that_does_not_answer_is_not_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str):
    squeue(tmp_path, script, monkeypatch)
    assert queue(HERE) is None


def test_no_squeue_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert queue(HERE) is None
