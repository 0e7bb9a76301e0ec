"""Progress is told in lines of a log, and a job that fails ends with one clear line."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from flowsynth.core import progress


@contextmanager
def job(path: Path) -> Iterator[None]:
    """A job that can't close the handlers of pytest, and whose own are closed afterwards."""
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    root.handlers[:] = []
    try:
        with progress.job(path):
            yield
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers[:] = kept
        root.setLevel(level)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that is put forward by its first element."""
    now = [0.0]
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_track_passes_every_item_through(clock):
    assert list(progress.track("abc", 3, "letters")) == ["a", "b", "c"]
    assert list(progress.track([], 0, "nothing")) == []


def test_track_takes_an_item_only_when_it_is_wanted(clock):
    taken = []
    tracked = progress.track((taken.append(i) or i for i in range(3)), 3, "lazy")
    assert next(tracked) == 0
    assert taken == [0]


def test_track_logs_every_few_seconds_and_at_the_end(clock, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "flowsynth")
    for _ in progress.track(range(10), 10, "render"):
        clock[0] += progress.EVERY / 2
    told = [message.split(",")[0] for message in caplog.messages]
    assert told == [f"render: {done} of 10" for done in (2, 4, 6, 8, 10)]


def test_track_says_how_long_the_rest_takes(clock, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "flowsynth")
    for _ in progress.track(range(4), 4, "render"):
        clock[0] += 10
    assert caplog.messages == [
        "render: 1 of 4, 30 s left",
        "render: 2 of 4, 20 s left",
        "render: 3 of 4, 10 s left",
        "render: 4 of 4, 0 s left",
    ]


def test_track_of_quick_work_logs_its_end_only(clock, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "flowsynth")
    list(progress.track(range(1000), 1000, "quick"))
    assert caplog.messages == ["quick: 1000 of 1000, 0 s left"]


def test_a_job_logs_to_a_file_and_what_it_warns_of_to_the_terminal_too(tmp_path: Path, capsys):
    path = tmp_path / "logs" / "job.log"
    with job(path):
        progress.log.info("half way")
        progress.log.warning("left out")
    assert "half way" in path.read_text()
    assert "left out" in path.read_text()
    told = capsys.readouterr().err
    assert "left out" in told
    assert "half way" not in told


@pytest.mark.parametrize("error", [ValueError, OSError, FloatingPointError, KeyError])
def test_a_job_that_fails_ends_with_one_line_and_keeps_the_traceback(tmp_path: Path, capsys, error):
    path = tmp_path / "job.log"
    with pytest.raises(SystemExit) as ended, job(path):
        raise error("preset 17 is 'bad'")
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert told.split("\n") == ["", "error: preset 17 is 'bad'", "", ""]
    written = path.read_text()
    assert "Traceback" in written
    assert "preset 17 is 'bad'" in written


def test_a_missing_file_is_named(tmp_path: Path, capsys):
    with pytest.raises(SystemExit), job(tmp_path / "job.log"):
        (tmp_path / "absent.csv").read_text()
    assert "absent.csv" in capsys.readouterr().err


def test_a_fault_of_the_code_is_raised_and_not_told_as_the_users(tmp_path: Path, capsys):
    path = tmp_path / "job.log"
    with pytest.raises(RuntimeError, match="a bug"), job(path):
        raise RuntimeError("a bug")
    assert "error:" not in capsys.readouterr().err


def test_a_fault_of_the_code_has_its_traceback_in_the_file(tmp_path: Path):
    path = tmp_path / "job.log"
    with pytest.raises(RuntimeError), job(path):
        raise RuntimeError("a bug")
    assert "a bug" in path.read_text()


def test_a_log_holds_the_last_run_only(tmp_path: Path):
    path = tmp_path / "job.log"
    for what in ("first", "second"):
        with job(path):
            progress.log.info(what)
    assert "first" not in path.read_text()
    assert "second" in path.read_text()
