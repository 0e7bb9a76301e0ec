"""A run is told in a line a job, whatever Snakemake says of it."""

import io
import logging
from collections.abc import Callable

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from flowsynth.core import run_log


class Terminal(io.StringIO):
    """A stream that is a terminal, or not."""

    def __init__(self, live: bool):
        super().__init__()
        self.live = live

    def isatty(self) -> bool:
        return self.live

    def fileno(self) -> int:
        return 2


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that is put forward by its first element; nothing is written from time to time."""
    now = [0.0]
    monkeypatch.setattr(run_log.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(run_log.Lines, "_go_on", lambda self: None)
    monkeypatch.setattr(run_log.os, "get_terminal_size", lambda file: run_log.os.terminal_size((60, 20)))
    return now


@pytest.fixture
def say(clock: list[float]) -> Callable[..., list[str]]:
    """Logs an event of Snakemake's, or its words; gives the lines that this adds."""
    stream = Terminal(live=False)
    return _saying(stream, run_log.Lines(stream))


def _saying(stream: Terminal, handler: run_log.Lines) -> Callable[..., list[str]]:
    logger = logging.Logger("snakemake")
    logger.addHandler(handler)

    def say(what: str | LogEvent, level: int = logging.INFO, **extra: object) -> list[str]:
        before = len(stream.getvalue())
        if isinstance(what, LogEvent):
            logger.log(level, extra.pop("msg", None), extra={"event": what, **extra})
        else:
            logger.log(level, what)
        return stream.getvalue()[before:].splitlines()

    return say


def begin(say: Callable[..., list[str]], number: int, rule: str, *output: str) -> None:
    assert say(LogEvent.JOB_INFO, jobid=number, rule_name=rule, output=list(output), log=[]) == []


def fail(say: Callable[..., list[str]], number: int, rule: str, **aux: object) -> list[str]:
    log = ["results/train.log"]
    return say(LogEvent.JOB_ERROR, logging.ERROR, jobid=number, rule_name=rule, rule_msg=None, log=log, aux=aux)


def test_a_job_is_a_line_with_how_far_the_run_is(say, clock):
    assert say(LogEvent.RUN_INFO, msg="Job stats: ...", stats={"render": 2, "train": 1, "total": 3}) == ["3 jobs"]
    begin(say, 1, "render", "results/tiny/audio/0.h5")
    clock[0] = 60
    assert say(LogEvent.JOB_FINISHED, job_id=1) == ["1 of 3, about 2 min 00 s left: render tiny/audio/0.h5, 1 min 00 s"]
    assert say(LogEvent.PROGRESS, done=1, total=3) == []


def test_what_is_left_is_taken_from_the_jobs_of_the_same_rule_and_how_many_run_at_once(say, clock):
    say(LogEvent.RUN_INFO, stats={"render": 2, "train": 3, "total": 5})
    begin(say, 1, "render")
    begin(say, 2, "train")
    clock[0] = 10
    say(LogEvent.JOB_FINISHED, job_id=1)
    begin(say, 3, "render")
    clock[0] = 100
    (told,) = say(LogEvent.JOB_FINISHED, job_id=2)
    # ten seconds of a rendering that should be over, and two trainings of 100 s, two at a time
    assert told.startswith("2 of 5, about 1 min 40 s left: train")


@pytest.mark.parametrize(
    "said",
    [
        "Building DAG of jobs...",
        "Select jobs to execute...",
        "Provided cores: 2",
        "Execute 2 jobs...",
        "",
        "Using shell: x",
    ],
)
def test_what_each_run_says_is_not_told(say, said: str):
    assert say(said) == []


@pytest.mark.parametrize("said", ["Nothing to be done.", "Trying to restart job 3.", "Something nobody has thought of"])
def test_all_else_is_told(say, said: str):
    assert say(said) == [said]
    assert say("Building DAG: but it is a cycle", logging.WARNING) == ["Building DAG: but it is a cycle"]


def test_a_job_that_fails_is_told_with_its_log_and_again_at_the_end(say, clock):
    say(LogEvent.RUN_INFO, stats={"train": 2, "total": 2})
    begin(say, 1, "train", "results/tiny/cnn/checkpoint.pt")
    clock[0] = 5
    told = fail(say, 1, "train", slurm_jobid=17)
    assert told == ["failed: train tiny/cnn/checkpoint.pt, after 5 s; slurm_jobid 17; see results/train.log"]
    assert say("Exiting because a job execution failed. Look above", logging.ERROR)[1:] == told


def test_a_job_that_fails_and_then_does_not_is_not_told_again(say, clock):
    say(LogEvent.RUN_INFO, stats={"train": 1, "total": 1})
    for _ in range(2):
        begin(say, 1, "train")
        last = fail(say, 1, "train")
    assert last
    begin(say, 1, "train")
    assert say(LogEvent.JOB_FINISHED, job_id=1) == ["1 of 1: train, 0 s"]
    assert len(say("Exiting because a job execution failed.", logging.ERROR)) == 1


def test_how_a_process_ended_is_told_unless_it_has_told_itself(say):
    told = "RuleException:\nCalledProcessError in file 'x', line 27:\nCommand 'python x' {}."
    assert say(LogEvent.ERROR, logging.ERROR, msg=told.format("returned non-zero exit status 1")) == []
    killed = told.format("returned non-zero exit status 137")
    assert say(LogEvent.ERROR, logging.ERROR, msg=killed) == killed.splitlines()


def test_a_terminal_has_a_bar_below_which_fits_and_goes(clock):
    stream = Terminal(live=True)
    handler = run_log.Lines(stream)
    say = _saying(stream, handler)
    say(LogEvent.RUN_INFO, stats={"render": 2, "total": 2})
    begin(say, 1, "render", "a" * 100)
    begin(say, 2, "render", "b")
    clock[0] = 10
    say(LogEvent.JOB_FINISHED, job_id=2)
    line, bar = stream.getvalue().split(run_log.CLEAR)[-2:]
    assert line == "1 of 2, about 0 s left: render b, 10 s\n"
    assert bar.startswith(f"[{'#' * 12}{'.' * 12}] 1 of 2")
    assert len(bar) == 59
    handler.close()
    assert stream.getvalue().endswith(run_log.CLEAR)


def test_a_pipe_hears_of_a_run_that_is_silent_for_long(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run_log, "SILENCE", 0.5)
    stream = Terminal(live=False)
    handler = run_log.Lines(stream)
    say = _saying(stream, handler)
    say(LogEvent.RUN_INFO, stats={"train": 1, "total": 1})
    begin(say, 1, "train", "x.pt")
    while "running" not in stream.getvalue():
        handler.over.wait(0.05)
    handler.close()
    assert "0 of 1; running: train x.pt " in stream.getvalue()


def test_only_the_usual_output_is_taken_over():
    logger = logging.Logger("snakemake")
    usual, other = logging.StreamHandler(), logging.StreamHandler()
    usual.name = "DefaultStreamHandler"
    for handler in (other, usual):
        logger.addHandler(handler)
    run_log.take_over(logger)
    assert logger.handlers[0] is other
    assert isinstance(logger.handlers[1], run_log.Lines)
    run_log.take_over(logger)
    assert len(logger.handlers) == 2


@pytest.mark.parametrize(("seconds", "told"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (7260, "2 h 01 min")])
def test_durations(seconds: float, told: str):
    assert run_log.duration(seconds) == told
