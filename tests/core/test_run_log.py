"""Console output of a run: one line per finished job."""

import io
import logging
from collections.abc import Callable

import pytest
from snakemake_interface_logger_plugins.common import LogEvent
from waiting import wait_until

from flowsynth.core import run_log


class Terminal(io.StringIO):
    """A stream that is a terminal if `live`."""

    def __init__(self, live: bool):
        super().__init__()
        self.live = live

    def isatty(self) -> bool:
        return self.live

    def fileno(self) -> int:
        return 2


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A fake clock, whose first element is the time; the refresh thread does nothing."""
    now = [0.0]
    monkeypatch.setattr(run_log.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(run_log.LineHandler, "_refresh", lambda self: None)
    monkeypatch.setattr(run_log.os, "get_terminal_size", lambda file: run_log.os.terminal_size((60, 20)))
    return now


@pytest.fixture
def emit(clock: list[float]) -> Callable[..., list[str]]:
    """Log an event or a message of Snakemake; return the new output lines."""
    stream = Terminal(live=False)
    return emitter(stream, run_log.LineHandler(stream))


def emitter(stream: Terminal, handler: run_log.LineHandler) -> Callable[..., list[str]]:
    logger = logging.Logger("snakemake")
    logger.addHandler(handler)

    def emit(message: str | LogEvent, level: int = logging.INFO, **extra: object) -> list[str]:
        before = len(stream.getvalue())
        if isinstance(message, LogEvent):
            logger.log(level, extra.pop("msg", None), extra={"event": message, **extra})
        else:
            logger.log(level, message)
        return stream.getvalue()[before:].splitlines()

    return emit


def begin(emit: Callable[..., list[str]], number: int, rule: str, *output: str) -> None:
    assert emit(LogEvent.JOB_INFO, jobid=number, rule_name=rule, output=list(output), log=[]) == []


def fail(emit: Callable[..., list[str]], number: int, rule: str, **aux: object) -> list[str]:
    log = ["results/train.log"]
    return emit(LogEvent.JOB_ERROR, logging.ERROR, jobid=number, rule_name=rule, rule_msg=None, log=log, aux=aux)


def test_finished_job_prints_a_line_with_progress(emit, clock):
    assert emit(LogEvent.RUN_INFO, msg="Job stats: ...", stats={"render": 2, "train": 1, "total": 3}) == ["3 jobs"]
    begin(emit, 1, "render", "results/tiny/audio/0.h5")
    clock[0] = 60
    assert emit(LogEvent.JOB_FINISHED, job_id=1) == [
        "1 of 3, about 2 min 00 s left: render tiny/audio/0.h5, 1 min 00 s"
    ]
    assert emit(LogEvent.PROGRESS, done=1, total=3) == []


def test_remaining_time_uses_rule_durations_and_parallelism(emit, clock):
    emit(LogEvent.RUN_INFO, stats={"render": 2, "train": 3, "total": 5})
    begin(emit, 1, "render")
    begin(emit, 2, "train")
    clock[0] = 10
    emit(LogEvent.JOB_FINISHED, job_id=1)
    begin(emit, 3, "render")
    clock[0] = 100
    (line,) = emit(LogEvent.JOB_FINISHED, job_id=2)
    # an overdue rendering and two trainings of 100 s, two jobs at a time
    assert line.startswith("2 of 5, about 1 min 40 s left: train")


@pytest.mark.parametrize(
    "message",
    [
        "Building DAG of jobs...",
        "Select jobs to execute...",
        "Provided cores: 2",
        "Execute 2 jobs...",
        "",
        "Using shell: x",
    ],
)
def test_routine_messages_are_hidden(emit, message: str):
    assert emit(message) == []


@pytest.mark.parametrize("message", ["Nothing to be done.", "Trying to restart job 3.", "Something unexpected"])
def test_other_messages_are_shown(emit, message: str):
    assert emit(message) == [message]
    assert emit("Building DAG: but it is a cycle", logging.WARNING) == ["Building DAG: but it is a cycle"]


def test_failed_job_is_reported_now_and_at_the_end(emit, clock):
    emit(LogEvent.RUN_INFO, stats={"train": 2, "total": 2})
    begin(emit, 1, "train", "results/tiny/cnn/checkpoint.pt")
    clock[0] = 5
    lines = fail(emit, 1, "train", slurm_jobid=17)
    assert lines == ["failed: train tiny/cnn/checkpoint.pt, after 5 s; slurm_jobid 17; see results/train.log"]
    assert emit("Exiting because a job execution failed. Look above", logging.ERROR)[1:] == lines


def test_job_that_succeeds_on_retry_is_not_repeated(emit, clock):
    emit(LogEvent.RUN_INFO, stats={"train": 1, "total": 1})
    for _ in range(2):
        begin(emit, 1, "train")
        last = fail(emit, 1, "train")
    assert last
    begin(emit, 1, "train")
    assert emit(LogEvent.JOB_FINISHED, job_id=1) == ["1 of 1: train, 0 s"]
    assert len(emit("Exiting because a job execution failed.", logging.ERROR)) == 1


def test_exit_status_is_shown_unless_the_script_reported(emit):
    error = "RuleException:\nCalledProcessError in file 'x', line 27:\nCommand 'python x' {}."
    assert emit(LogEvent.ERROR, logging.ERROR, msg=error.format("returned non-zero exit status 1")) == []
    killed = error.format("returned non-zero exit status 137")
    assert emit(LogEvent.ERROR, logging.ERROR, msg=killed) == killed.splitlines()


def test_terminal_shows_a_bar_that_fits_and_is_cleared(clock):
    stream = Terminal(live=True)
    handler = run_log.LineHandler(stream)
    emit = emitter(stream, handler)
    emit(LogEvent.RUN_INFO, stats={"render": 2, "total": 2})
    begin(emit, 1, "render", "a" * 100)
    begin(emit, 2, "render", "b")
    clock[0] = 10
    emit(LogEvent.JOB_FINISHED, job_id=2)
    line, bar = stream.getvalue().split(run_log.CLEAR)[-2:]
    assert line == "1 of 2, about 0 s left: render b, 10 s\n"
    assert bar.startswith(f"[{'#' * 12}{'.' * 12}] 1 of 2")
    assert len(bar) == 59
    handler.close()
    assert stream.getvalue().endswith(run_log.CLEAR)


def test_pipe_gets_a_status_line_after_a_long_silence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run_log, "HEARTBEAT", 0.5)
    stream = Terminal(live=False)
    handler = run_log.LineHandler(stream)
    emit = emitter(stream, handler)
    emit(LogEvent.RUN_INFO, stats={"train": 1, "total": 1})
    begin(emit, 1, "train", "x.pt")
    wait_until(lambda: "running" in stream.getvalue(), "a status line")
    handler.close()
    assert "0 of 1; running: train x.pt " in stream.getvalue()


def test_only_the_default_handler_is_replaced():
    logger = logging.Logger("snakemake")
    default, other = logging.StreamHandler(), logging.StreamHandler()
    default.name = "DefaultStreamHandler"
    for handler in (other, default):
        logger.addHandler(handler)
    run_log.replace_default_handler(logger)
    assert logger.handlers[0] is other
    assert isinstance(logger.handlers[1], run_log.LineHandler)
    run_log.replace_default_handler(logger)
    assert len(logger.handlers) == 2


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (7260, "2 h 01 min")])
def test_durations(seconds: float, text: str):
    assert run_log.duration(seconds) == text
