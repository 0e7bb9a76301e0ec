"""Progress is logged in lines; a failing job reports one clear line."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from flowsynth.core import progress


@contextmanager
def job(path: Path) -> Iterator[None]:
    """Run a job without closing pytest's log handlers; close its own afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    try:
        with progress.job(path):
            yield
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A fake clock; its first element is the time."""
    now = [0.0]
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_track_yields_every_item(clock):
    assert list(progress.track("abc", 3, "letters")) == ["a", "b", "c"]
    assert list(progress.track([], 0, "nothing")) == []


def test_track_is_lazy(clock):
    consumed = []
    tracked = progress.track((consumed.append(i) or i for i in range(3)), 3, "lazy")
    assert next(tracked) == 0
    assert consumed == [0]


def test_track_logs_periodically_and_at_the_end(clock, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "flowsynth")
    for _ in progress.track(range(10), 10, "render"):
        clock[0] += progress.LOG_INTERVAL / 2
    lines = [message.split(",")[0] for message in caplog.messages]
    assert lines == [f"render: {done} of 10" for done in (2, 4, 6, 8, 10)]


def test_track_estimates_the_remaining_time(clock, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "flowsynth")
    for _ in progress.track(range(4), 4, "render"):
        clock[0] += 10
    assert caplog.messages == [
        "render: 1 of 4, 30 s left",
        "render: 2 of 4, 20 s left",
        "render: 3 of 4, 10 s left",
        "render: 4 of 4, 0 s left",
    ]


def test_track_logs_short_work_once(clock, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "flowsynth")
    list(progress.track(range(1000), 1000, "quick"))
    assert caplog.messages == ["quick: 1000 of 1000, 0 s left"]


def test_a_job_logs_to_a_file_and_warnings_to_the_terminal(tmp_path: Path, capsys):
    path = tmp_path / "logs" / "job.log"
    with job(path):
        progress.log.info("half way")
        progress.log.warning("left out")
    assert "half way" in path.read_text()
    assert "left out" in path.read_text()
    output = capsys.readouterr().err
    assert "left out" in output
    assert "half way" not in output


@pytest.mark.parametrize("error", [ValueError, OSError, FloatingPointError, KeyError])
def test_a_failing_job_prints_one_line_and_logs_the_traceback(tmp_path: Path, capsys, error):
    path = tmp_path / "job.log"
    with pytest.raises(SystemExit) as exit_info, job(path):
        raise error("preset 17 is 'bad'")
    assert exit_info.value.code == 1
    assert capsys.readouterr().err.split("\n") == ["", "error: preset 17 is 'bad'", "", ""]
    text = path.read_text()
    assert "Traceback" in text
    assert "preset 17 is 'bad'" in text


def test_a_missing_file_is_named(tmp_path: Path, capsys):
    with pytest.raises(SystemExit), job(tmp_path / "job.log"):
        (tmp_path / "absent.csv").read_text()
    assert "absent.csv" in capsys.readouterr().err


def test_a_bug_is_raised_and_not_reported_as_user_error(tmp_path: Path, capsys):
    path = tmp_path / "job.log"
    with pytest.raises(RuntimeError, match="a bug"), job(path):
        raise RuntimeError("a bug")
    assert "error:" not in capsys.readouterr().err


def test_a_bug_is_logged_with_its_traceback(tmp_path: Path):
    path = tmp_path / "job.log"
    with pytest.raises(RuntimeError), job(path):
        raise RuntimeError("a bug")
    assert "a bug" in path.read_text()


def test_a_log_holds_only_the_last_run(tmp_path: Path):
    path = tmp_path / "job.log"
    for message in ("first", "second"):
        with job(path):
            progress.log.info(message)
    assert "first" not in path.read_text()
    assert "second" in path.read_text()
