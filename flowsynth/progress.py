"""Progress of long work as lines of a log, readable in a terminal, in a file and from several jobs at once."""

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

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
