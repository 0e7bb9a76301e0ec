"""Progress of long computations as log lines, readable in a terminal, in a file and with several jobs at once."""

import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from flowsynth.core import integrity
from flowsynth.core.locks import exclusive_log
from flowsynth.core.parent_process import end_with_parent
from flowsynth.core.provenance import commit

T = TypeVar("T")
log = logging.getLogger("flowsynth")
LOG_INTERVAL = 5.0  # seconds


def track(items: Iterable[T], total: int, label: str) -> Iterator[T]:
    """Iterate over items and log the count and the estimated remaining time every few seconds."""
    start = last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last >= LOG_INTERVAL or done == total:
            last = now
            log.info("%s: %d of %d, %.0f s left", label, done, total, (now - start) / done * (total - done))


def log_to_terminal() -> None:
    """Log progress to the terminal only; for commands."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", force=True)
    log.setLevel(logging.INFO)


@contextmanager
def job(path: Path, inputs: Iterable[str] = (), outputs: Iterable[str] = ()) -> Iterator[None]:
    """Run a Snakemake job: log to a file, repeat warnings in the terminal, and report a failure there in one line.

    That line covers errors the user can fix (bad input, a missing file, a full disk); the file also has the traceback.
    The job ends with its Snakemake process. It waits while another process, e.g. on another host, runs the same job.
    The inputs are verified first, and the checksums of the outputs are recorded last, see `flowsynth.core.integrity`.

    Args:
        path: Log file of this job.
        inputs: Input files.
        outputs: Output files.
    """
    products = [Path(output) for output in outputs if Path(output).suffix in integrity.KINDS]
    descriptors: list[int] = []

    def on_end(reason: str) -> None:
        for descriptor in descriptors:  # not to the terminal, whose reader may be gone or hang
            os.write(descriptor, f"{reason}\n".encode())

    end_with_parent(on_end)
    with exclusive_log(path, lambda message: print(message, file=sys.stderr, flush=True)) as file:
        descriptors.append(file.fileno())
        terminal, file_handler = logging.StreamHandler(), logging.StreamHandler(file)
        terminal.setLevel(logging.WARNING)
        line_format = "%(asctime)s %(message)s"
        logging.basicConfig(level=logging.WARNING, format=line_format, handlers=[terminal, file_handler], force=True)
        log.setLevel(logging.INFO)
        commit()  # cached now: the code that is imported, whatever is edited while the job runs
        try:
            integrity.verify_inputs(map(Path, inputs))
            for product in products:
                integrity.checksum_path(product).unlink(missing_ok=True)
            yield
            for product in products:
                integrity.record(product)
        except (ValueError, OSError, FloatingPointError, KeyError) as error:
            terminal.addFilter(lambda record: False)
            log.exception("failed")
            message = error.args[0] if isinstance(error, KeyError) else error
            prefix = "\r\x1b[K" if sys.stderr.isatty() else "\n"  # clears the bar of `flowsynth.core.run_log`
            print(f"{prefix}error: {message}\n", file=sys.stderr, flush=True)
            sys.exit(1)
        except Exception:
            terminal.addFilter(lambda record: False)  # Python prints the traceback there
            log.exception("failed")
            raise
        finally:
            logging.getLogger().removeHandler(file_handler)
            descriptors.clear()
