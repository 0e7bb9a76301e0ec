"""What a run tells in a terminal or a pipe: a line for each job when it has ended, and how far the run is.

Snakemake's own dozen lines a job stay in its log file. In a terminal there is a bar below, which shows what is running; in a
pipe or a file a line now and then, where nothing else is told for long.
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

SILENCE = 600.0  # seconds, in a pipe
BAR = 24  # characters
CLEAR = "\r\x1b[K"

# what each run says of itself and each step of it; in the log file
USUAL = re.compile(
    r"Select jobs to execute|Execute \d+ jobs|Using shell|Provided |Rules claiming more threads|Conda environments: ign"
    r"|Singularity containers: ign|Building DAG|Assuming unrestricted shared|host: |Job \d+ has been submitted with SLURM"
)
# what Snakemake says of a script that has ended with status 1, which has said why
ENDED = re.compile(r"CalledProcessError in file .*returned non-zero exit status 1\.", re.DOTALL)


@dataclass(frozen=True)
class Job:
    """A job that was started: rule, what it is called by, and when by the monotonic clock."""

    rule: str
    name: str
    start: float


class Lines(logging.Handler):
    """Takes the records of Snakemake's logger and writes lines.

    Args:
        stream: Where to; an open text file.
    """

    def __init__(self, stream: Any):
        super().__init__()
        self.stream, self.live = stream, stream.isatty()
        self.running: dict[int, Job] = {}
        self.failed: dict[int, str] = {}
        self.left: dict[str, int] = {}  # jobs by rule that have not ended well
        self.took: dict[str, list[float]] = defaultdict(list)  # seconds by rule
        self.done = self.total = 0
        self.start = self.last = time.monotonic()
        self.over = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Tell what is of interest of a record."""
        try:
            told = getattr(self, f"_{record.__dict__.get('event') or 'message'}", self._message)(record)
            if told:
                self._write(told)
        except Exception:
            self.handleError(record)

    def _run_info(self, record: Any) -> str:
        self.left = {rule: count for rule, count in record.stats.items() if rule != "total"}
        self.total = record.stats["total"]
        self.start = time.monotonic()
        threading.Thread(target=self._go_on, daemon=True).start()
        return f"{self.total} jobs"

    def _job_info(self, record: Any) -> None:
        name = " ".join([record.rule_name, *(path.removeprefix("results/") for path in record.output[:1])])
        self.running[record.jobid] = Job(record.rule_name, name, time.monotonic())

    def _job_finished(self, record: Any) -> str:
        job = self.running.pop(record.job_id)
        self.failed.pop(record.job_id, None)
        seconds = time.monotonic() - job.start
        self.took[job.rule].append(seconds)
        self.left[job.rule] = self.left.get(job.rule, 1) - 1
        self.done += 1
        return f"{self._far()}: {job.name}, {duration(seconds)}"

    def _job_error(self, record: Any) -> str:
        job = self.running.pop(record.jobid, Job(record.rule_name, record.rule_name, time.monotonic()))
        why = [str(record.rule_msg or ""), *(f"{key} {value}" for key, value in record.aux.items())]
        if record.log:
            why.append(f"see {', '.join(record.log)}")
        after = duration(time.monotonic() - job.start)
        told = "; ".join(filter(None, [f"failed: {job.name}, after {after}", *why]))
        self.failed[record.jobid] = told
        return told

    def _progress(self, record: Any) -> None:
        self.total = record.total

    def _nothing(self, record: Any) -> None:
        pass

    _workflow_started = _shellcmd = _job_started = _resources_info = _rulegraph = _nothing

    def _message(self, record: logging.LogRecord) -> str | None:
        text = str(record.msg or "").strip()
        if ENDED.search(text) or (record.levelno < logging.WARNING and USUAL.match(text)):
            return None
        if text.startswith("Exiting because a job execution failed"):
            return "\n".join([text, *self.failed.values()])
        return text

    def _far(self) -> str:
        left = self._seconds_left()
        return f"{self.done} of {self.total}" + (f", about {duration(left)} left" if left is not None else "")

    def _seconds_left(self) -> float | None:
        """How long the rest will take: each job as those of its rule or of all, and as many at a time as until now."""
        every = [seconds for took in self.took.values() for seconds in took]
        if not every or self.done >= self.total:
            return None
        usual = sum(every) / len(every)
        mean = {rule: sum(took) / len(took) for rule, took in self.took.items()}
        now = time.monotonic()
        begun = [(job.rule, now - job.start) for job in self.running.values()]
        work = sum(count * mean.get(rule, usual) for rule, count in self.left.items())
        work -= sum(min(spent, mean.get(rule, usual)) for rule, spent in begun)
        at_once = (sum(every) + sum(spent for _, spent in begun)) / max(now - self.start, 1e-3)
        return work / max(at_once, 1e-3)

    def _write(self, text: str) -> None:
        self.stream.write(f"{CLEAR if self.live else ''}{text}\n")
        self.last = time.monotonic()
        self._draw()
        self.stream.flush()

    def _draw(self) -> None:
        if self.live and self.running and not self.over.is_set():
            filled = BAR * self.done // max(self.total, 1)
            text = f"[{'#' * filled}{'.' * (BAR - filled)}] {self._far()}: {self._at_work()}"
            columns = os.get_terminal_size(self.stream.fileno()).columns or 80  # 0 where nobody knows
            self.stream.write(CLEAR + text[: columns - 1])

    def _at_work(self) -> str:
        now = time.monotonic()
        return ", ".join(f"{job.name} {duration(now - job.start)}" for job in self.running.values())

    def _go_on(self) -> None:
        while not self.over.wait(1.0):
            with self.lock:  # type: ignore[union-attr]
                if self.live:
                    self._draw()
                    self.stream.flush()
                elif self.running and time.monotonic() - self.last >= SILENCE:
                    self._write(f"{self._far()}; running: {self._at_work()}")

    def close(self) -> None:
        """Take the bar away."""
        with self.lock:  # type: ignore[union-attr]
            if self.live and not self.over.is_set():
                self.stream.write(CLEAR)
                self.stream.flush()
            self.over.set()
        super().close()


def duration(seconds: float) -> str:
    """Seconds in the largest two of hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def take_over(logger: logging.Logger) -> None:
    """Write lines in the place of a logger's own output to the terminal, where it is Snakemake's usual one."""
    for handler in list(logger.handlers):
        if handler.name == "DefaultStreamHandler":
            logger.removeHandler(handler)
            lines = Lines(sys.stderr)
            lines.name = "lines"
            logger.addHandler(lines)
