"""Presets played one by one, each by a plugin in its first state.

A plugin that has played once is not the plugin that was loaded: what it plays next depends on what came before. So the
plugin is loaded once, and for each preset the process forks a child that plays it, leaves the sound in shared memory and
ends. Where there is no fork, the plugin is unloaded and loaded again.

A fork copies the page tables of a process, and only one of its threads. So `flowsynth.rendering.render` starts a process of
its own for this, which has no threads and imports nothing that it does not need to play: it forks in a third of the time.
"""

import ctypes
import gc
import mmap
import os
import select
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import NoReturn

import numpy as np
from jaxtyping import Float

from flowsynth.rendering.host import Host, Note
from flowsynth.synths.spec import Synth

SILENT = 1e-3  # peak below which a sound counts as silent, -60 dB of full scale
STATUS = ("ok", "silent", "clipped", "failed")

LIBRARY = ctypes.CDLL(None) if hasattr(os, "fork") else None
PR_SET_PDEATHSIG = 1

Play = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Rendered:
    """One preset's sound: float32 audio (zeros if it failed), a status of `STATUS`, and why it failed."""

    audio: np.ndarray
    status: str
    reason: str = ""


def forked(
    play: Play, vectors: Iterable[np.ndarray], samples: int, timeout: float, asking: int | None = None
) -> Iterator[Rendered]:
    """Call `play` for each vector in a forked child of its own; a crash or a hang is that item's failure.

    Args:
        play: Gives the sound of a vector.
        vectors: What is played.
        samples: Length of a sound.
        timeout: Seconds after which a child is given up.
        asking: Descriptor of the connection to who asks; when that is gone, so is the child.

    Raises:
        BrokenPipeError: If who asks is gone.
    """
    with mmap.mmap(-1, samples * 4) as shared:
        slot = np.frombuffer(shared, dtype=np.float32)
        gc.freeze()  # else the collector of each child touches, and so copies, the memory of the parent
        try:
            for vector in vectors:
                reason = _in_child(play, vector, slot, timeout, asking)
                yield Rendered(np.zeros(samples, np.float32), "failed", reason) if reason else judge(slot.copy())
        finally:
            gc.unfreeze()
            del slot


def _in_child(play: Play, vector: np.ndarray, slot: np.ndarray, timeout: float, asking: int | None) -> str:
    """Play a vector in a child; why it failed, or nothing."""
    reader, writer = os.pipe()
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        _end_with(parent)
        _child(play, vector, slot, writer)
    os.close(writer)
    try:
        ended = _wait(reader, timeout, asking)  # the pipe closes when the child ends, however it ends
        if not ended:
            os.kill(pid, signal.SIGKILL)
        message = os.read(reader, 4096).decode(errors="replace") if ended else ""
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        os.close(reader)
        _, status = os.waitpid(pid, 0)
    if not ended:
        return f"gave no sound within {timeout:g} s"
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return message or ("" if os.WEXITSTATUS(status) == 0 else f"ended with status {os.WEXITSTATUS(status)}")


def _wait(reader: int, timeout: float, asking: int | None) -> bool:
    """Whether there is something to read before the time is over; for nobody who is gone it is waited."""
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    if asking is not None:
        poll.register(asking, 0)  # its end alone
    events = poll.poll(timeout * 1000)
    if asking in dict(events):
        raise BrokenPipeError("nobody asks for sounds any more")
    return bool(events)


def _end_with(parent: int) -> None:
    """Have the kernel end this process with the one that it was forked from, which is not there to end a hang then."""
    prctl = getattr(LIBRARY, "prctl", None)  # of Linux
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _child(play: Play, vector: np.ndarray, slot: np.ndarray, writer: int) -> NoReturn:
    """What the child does; it ends here and returns to nobody."""
    try:
        slot[:] = play(vector)
        os._exit(0)
    except BaseException as error:
        os.write(writer, f"{type(error).__name__}: {error}".encode()[:4000])
    finally:
        os._exit(1)


def reloaded(host: Callable[[], Host], vectors: Iterable[np.ndarray]) -> Generator[Rendered, None, None]:
    """Load the plugin again for each vector: slower by some times, for systems that can't fork."""
    for vector in vectors:
        fresh = host()
        try:
            result = judge(fresh.play(vector).astype(np.float32))
        except RuntimeError as error:
            result = Rendered(np.zeros(fresh.note.samples, np.float32), "failed", f"RuntimeError: {error}")
        del fresh
        gc.collect()  # the library is unloaded with its last instance, and its static variables with it
        yield result


def judge(audio: Float[np.ndarray, " samples"]) -> Rendered:
    """Give a sound its status."""
    if not np.isfinite(audio).all():
        return Rendered(np.zeros_like(audio), "failed", "the sound is not finite")
    peak = np.abs(audio).max()
    return Rendered(audio, "silent" if peak < SILENT else "clipped" if peak >= 1 else "ok")


def serve(connection: Connection, synth: Synth, note: Note, timeout: float) -> None:
    """Answer each vector that comes with its `Rendered`, until nobody sends any more; what goes wrong is sent instead."""
    try:
        play = Host(synth, note).play
        for result in forked(play, _coming(connection), note.samples, timeout, connection.fileno()):
            connection.send(result)
    except BrokenPipeError:
        return
    except Exception as error:
        connection.send(error)


def _coming(connection: Connection) -> Iterator[np.ndarray]:
    while True:
        try:
            yield connection.recv()
        except EOFError:
            return


def main(descriptor: int) -> None:
    """Be the process that `flowsynth.rendering.render` has started, with the file descriptor of its end of a connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who has started this ends it
    connection = Connection(descriptor)
    serve(connection, *connection.recv())
