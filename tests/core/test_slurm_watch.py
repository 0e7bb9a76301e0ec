"""Watching the Slurm queue ends when a run has lost its jobs, and only then."""

import logging
from pathlib import Path

import pytest

from flowsynth.core.slurm_watch import LOST_JOBS, NO_ANSWER, list_jobs, watch

HERE = Path("/somewhere")


def lister(*listings):
    """A job lister that returns the given listings in turn, then repeats the last one."""
    pending = list(listings)
    return lambda folder: pending.pop(0) if len(pending) > 1 else pending[0]


class Clock:
    """Replaces the module time; time passes only in `sleep`."""

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


@pytest.mark.parametrize(("listing", "message"), [({}, LOST_JOBS), (None, NO_ANSWER)])
def test_a_run_without_jobs_for_too_long_is_lost(clock: Clock, listing, message):
    assert watch(HERE, 60, 7, lister({"7": "None"}, {"7": "None"}, listing)) == message
    assert 7 + 60 < clock.now <= 7 + 60 + 7


def test_a_run_with_intermittent_jobs_is_not_lost(clock: Clock):
    listings = [{"7": "None"}, {}, None, {}] * 100
    assert watch(HERE, 60, 15, lister(*listings, {})) == LOST_JOBS
    assert clock.now > 15 * len(listings)


def test_a_held_job_is_logged_once(caplog: pytest.LogCaptureFixture):
    held = {"7": "JobHeldUser", "8": "Priority"}
    with caplog.at_level(logging.WARNING, "flowsynth"):
        watch(HERE, 60, 7, lister(held, held, held, {}))
    (message,) = [record.getMessage() for record in caplog.records]
    assert "job 7 (JobHeldUser)" in message
    assert "scontrol release 7" in message


def fake_squeue(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a script in the place of squeue."""
    program = folder / "squeue"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_jobs_of_other_folders_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fake_squeue(tmp_path, "echo '7|None|/somewhere'; echo '8|Priority|/somewhere/else'; echo '9|A|B|/x'", monkeypatch)
    assert list_jobs(HERE) == {"7": "None"}


@pytest.mark.parametrize("script", ["exit 1", "echo 'slurm_load_jobs error' >&2; exit 1"])
def test_an_unresponsive_queue_is_not_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str):
    fake_squeue(tmp_path, script, monkeypatch)
    assert list_jobs(HERE) is None


def test_a_missing_squeue_counts_as_unresponsive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list_jobs(HERE) is None
