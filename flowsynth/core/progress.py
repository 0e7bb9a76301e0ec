"""Progress of long work as lines of a log, readable in a terminal, in a file and from several jobs at once."""

import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from flowsynth.core.locks import alone
from flowsynth.core.parent_process import follow
from flowsynth.core.provenance import commit

T = TypeVar("T")
log = logging.getLogger("flowsynth")
EVERY = 5.0  # seconds


def track(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Pass items through and log how many are done and how long the rest will take, every few seconds."""
    start = last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last >= EVERY or done == total:
            last = now
            log.info("%s: %d of %d, %.0f s left", what, done, total, (now - start) / done * (total - done))


def to_terminal() -> None:
    """Log progress to the terminal alone: for commands."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", force=True)
    log.setLevel(logging.INFO)


@contextmanager
def job(path: Path) -> Iterator[None]:
    """Run a job of Snakemake's: log to a file, warnings to the terminal too, and end one that fails with one clear line there.

    What a user can mend (bad input, a missing file, a full disk) is told in that line; the file has the traceback too. The
    job ends with its Snakemake. While another process runs the same job, as one of an earlier run on another host, it waits.

    Args:
        path: Of the log file, which is of this job alone.
    """
    ours: list[int] = []

    def ending(why: str) -> None:
        for file in ours:  # not to the terminal, whose reader may be gone or hang
            os.write(file, f"{why}\n".encode())

    follow(ending)
    with alone(path, lambda what: print(what, file=sys.stderr, flush=True)) as file:
        ours.append(file.fileno())
        terminal, lines = logging.StreamHandler(), logging.StreamHandler(file)
        terminal.setLevel(logging.WARNING)
        form = "%(asctime)s %(message)s"
        logging.basicConfig(level=logging.WARNING, format=form, handlers=[terminal, lines], force=True)
        log.setLevel(logging.INFO)
        commit()  # what is imported, whatever is edited while the job runs
        try:
            yield
        except (ValueError, OSError, FloatingPointError, KeyError) as error:
            terminal.addFilter(lambda record: False)
            log.exception("failed")
            message = error.args[0] if isinstance(error, KeyError) else error
            over = "\r\x1b[K" if sys.stderr.isatty() else "\n"  # a bar, see `flowsynth.core.run_log`
            print(f"{over}error: {message}\n", file=sys.stderr, flush=True)
            sys.exit(1)
        except Exception:
            terminal.addFilter(lambda record: False)  # Python prints the traceback there
            log.exception("failed")
            raise
        finally:
            logging.getLogger().removeHandler(lines)
            ours.clear()
