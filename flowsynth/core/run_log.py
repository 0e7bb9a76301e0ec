"""Console output of a run: one line per finished job with the overall progress.

The dozen lines per job of Snakemake stay in its log file. A terminal also shows a progress bar with the running jobs; a
pipe or a file gets a status line after a long time without output.
"""

import logging
import os
import re
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

HEARTBEAT = 600.0  # seconds without output, in a pipe
BAR_WIDTH = 24  # characters
CLEAR = "\r\x1b[K"

# routine messages of every run; they stay in the log file
ROUTINE = re.compile(
    r"Select jobs to execute|Execute \d+ jobs|Using shell|Provided |Rules claiming more threads|Conda environments: ign"
    r"|Singularity containers: ign|Building DAG|Assuming unrestricted shared|host: "
    r"|Job \d+ has been submitted with SLURM"
)
# Snakemake's message on a script that ended with status 1, which has already printed its error
SCRIPT_FAILED = re.compile(r"CalledProcessError in file .*returned non-zero exit status 1\.", re.DOTALL)


@dataclass(frozen=True)
class Job:
    """A running job: its rule, display name, and start on the monotonic clock."""

    rule: str
    name: str
    start: float


class LineHandler(logging.Handler):
    """Writes the records of Snakemake's logger as lines.

    Args:
        stream: Open text file to write to.
    """

    def __init__(self, stream: Any):
        super().__init__()
        self.stream, self.live = stream, stream.isatty()
        self.running: dict[int, Job] = {}
        self.failed: dict[int, str] = {}
        self.remaining: dict[str, int] = {}  # unfinished jobs by rule
        self.durations: dict[str, list[float]] = defaultdict(list)  # seconds by rule
        self.done = self.total = 0
        self.start = self.last = time.monotonic()
        self.closed = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line for a record, if it has one."""
        try:
            text = getattr(self, f"_{record.__dict__.get('event') or 'message'}", self._message)(record)
            if text:
                self._write(text)
        except Exception:
            self.handleError(record)

    def _run_info(self, record: Any) -> str:
        self.remaining = {rule: count for rule, count in record.stats.items() if rule != "total"}
        self.total = record.stats["total"]
        self.start = time.monotonic()
        threading.Thread(target=self._refresh, daemon=True).start()
        return f"{self.total} jobs"

    def _job_info(self, record: Any) -> None:
        name = " ".join([record.rule_name, *(path.removeprefix("results/") for path in record.output[:1])])
        self.running[record.jobid] = Job(record.rule_name, name, time.monotonic())

    def _job_finished(self, record: Any) -> str:
        job = self.running.pop(record.job_id)
        self.failed.pop(record.job_id, None)
        seconds = time.monotonic() - job.start
        self.durations[job.rule].append(seconds)
        self.remaining[job.rule] = self.remaining.get(job.rule, 1) - 1
        self.done += 1
        return f"{self._progress_text()}: {job.name}, {duration(seconds)}"

    def _job_error(self, record: Any) -> str:
        job = self.running.pop(record.jobid, Job(record.rule_name, record.rule_name, time.monotonic()))
        details = [str(record.rule_msg or ""), *(f"{key} {value}" for key, value in record.aux.items())]
        if record.log:
            details.append(f"see {', '.join(record.log)}")
        elapsed = duration(time.monotonic() - job.start)
        text = "; ".join(filter(None, [f"failed: {job.name}, after {elapsed}", *details]))
        self.failed[record.jobid] = text
        return text

    def _progress(self, record: Any) -> None:
        self.total = record.total

    def _ignore(self, record: Any) -> None:
        pass

    _workflow_started = _shellcmd = _job_started = _resources_info = _rulegraph = _ignore

    def _message(self, record: logging.LogRecord) -> str | None:
        text = str(record.msg or "").strip()
        if SCRIPT_FAILED.search(text) or (record.levelno < logging.WARNING and ROUTINE.match(text)):
            return None
        if text.startswith("Exiting because a job execution failed"):
            return "\n".join([text, *self.failed.values()])
        return text

    def _progress_text(self) -> str:
        seconds = self._seconds_left()
        return f"{self.done} of {self.total}" + (f", about {duration(seconds)} left" if seconds is not None else "")

    def _seconds_left(self) -> float | None:
        """Estimate the remaining time from the mean duration of a rule, or of all jobs, and the parallelism so far."""
        finished = [seconds for durations in self.durations.values() for seconds in durations]
        if not finished or self.done >= self.total:
            return None
        overall = sum(finished) / len(finished)
        mean = {rule: sum(durations) / len(durations) for rule, durations in self.durations.items()}
        now = time.monotonic()
        elapsed = [(job.rule, now - job.start) for job in self.running.values()]
        work = sum(count * mean.get(rule, overall) for rule, count in self.remaining.items())
        work -= sum(min(seconds, mean.get(rule, overall)) for rule, seconds in elapsed)
        parallelism = (sum(finished) + sum(seconds for _, seconds in elapsed)) / max(now - self.start, 1e-3)
        return work / max(parallelism, 1e-3)

    def _write(self, text: str) -> None:
        self.stream.write(f"{CLEAR if self.live else ''}{text}\n")
        self.last = time.monotonic()
        self._draw()
        self.stream.flush()

    def _draw(self) -> None:
        if self.live and self.running and not self.closed.is_set():
            filled = BAR_WIDTH * self.done // max(self.total, 1)
            text = f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {self._progress_text()}: {self._running_text()}"
            columns = os.get_terminal_size(self.stream.fileno()).columns or 80  # 0 if unknown
            self.stream.write(CLEAR + text[: columns - 1])

    def _running_text(self) -> str:
        now = time.monotonic()
        return ", ".join(f"{job.name} {duration(now - job.start)}" for job in self.running.values())

    def _refresh(self) -> None:
        while not self.closed.wait(1.0):
            with self.lock:  # type: ignore[union-attr]
                if self.live:
                    self._draw()
                    self.stream.flush()
                elif self.running and time.monotonic() - self.last >= HEARTBEAT:
                    self._write(f"{self._progress_text()}; running: {self._running_text()}")

    def close(self) -> None:
        """Clear the progress bar."""
        with self.lock:  # type: ignore[union-attr]
            if self.live and not self.closed.is_set():
                self.stream.write(CLEAR)
                self.stream.flush()
            self.closed.set()
        super().close()


def duration(seconds: float) -> str:
    """Format a duration in the largest two of hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def replace_default_handler(logger: logging.Logger) -> None:
    """Replace Snakemake's default terminal handler of a logger with a `LineHandler`."""
    for handler in list(logger.handlers):
        if handler.name == "DefaultStreamHandler":
            logger.removeHandler(handler)
            line_handler = LineHandler(sys.stderr)
            line_handler.name = "lines"
            logger.addHandler(line_handler)
