"""Render presets one by one, each with a plugin in its initial state.

The output of a plugin depends on what it has played before. Therefore the plugin is loaded once, and for each preset
the process forks a child that renders it to shared memory and exits. Without fork, the plugin is reloaded each time.

A synthesizer that keeps no state renders all presets in the worker itself.

A fork copies the page tables of a process and only one of its threads. Therefore `flowsynth.rendering.render` starts a
worker process that has no threads and minimal imports: it forks in a third of the time.
"""

import ctypes
import gc
import mmap
import os
import select
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import NoReturn

import numpy as np
from jaxtyping import Float

from flowsynth.rendering.host import Host, Note
from flowsynth.synths.spec import Synth

SILENCE_PEAK = 1e-3  # a sound with a lower peak counts as silent; -60 dB of full scale
STATUS = ("ok", "silent", "clipped", "failed")

LIBRARY = ctypes.CDLL(None) if hasattr(os, "fork") else None
PR_SET_PDEATHSIG = 1

Play = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Rendered:
    """Result of a rendering: float32 audio (zeros if it failed), status (one of `STATUS`), and reason of a failure."""

    audio: np.ndarray
    status: str
    reason: str = ""


def render_forked(
    play: Play, vectors: Iterable[np.ndarray], samples: int, timeout: float, client: int | None = None
) -> Iterator[Rendered]:
    """Call `play` for each vector in its own forked child; a crash or a hang fails only that item.

    Args:
        play: Renders a vector.
        vectors: Presets: all parameters in the table's order, in [0, 1].
        samples: Length of a sound in samples.
        timeout: Maximum duration of a rendering in seconds.
        client: File descriptor of the client's connection; the child is killed when the connection closes.

    Raises:
        BrokenPipeError: If the client disconnects.
    """
    with mmap.mmap(-1, samples * 4) as shared:
        slot = np.frombuffer(shared, dtype=np.float32)
        gc.freeze()  # or the garbage collector of each child would touch, and thus copy, the memory of the parent
        try:
            for vector in vectors:
                reason = _render_in_child(play, vector, slot, timeout, client)
                yield Rendered(np.zeros(samples, np.float32), "failed", reason) if reason else classify(slot.copy())
        finally:
            gc.unfreeze()
            del slot


def _render_in_child(play: Play, vector: np.ndarray, slot: np.ndarray, timeout: float, client: int | None) -> str:
    """Render a vector in a child; return the reason of a failure, or an empty string."""
    reader, writer = os.pipe()
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        _die_with(parent)
        _run_child(play, vector, slot, writer)
    os.close(writer)
    try:
        ended = _wait(reader, timeout, client)  # the pipe closes when the child ends for any reason
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


def _wait(reader: int, timeout: float, client: int | None) -> bool:
    """Wait until the pipe is readable or closed; return False on timeout.

    Raises:
        BrokenPipeError: If the client disconnects meanwhile.
    """
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    if client is not None:
        poll.register(client, 0)  # hang-up only
    events = poll.poll(timeout * 1000)
    if client in dict(events):
        raise BrokenPipeError("the client has disconnected")
    return bool(events)


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, which could then no longer end a hang."""
    prctl = getattr(LIBRARY, "prctl", None)  # Linux only
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _run_child(play: Play, vector: np.ndarray, slot: np.ndarray, writer: int) -> NoReturn:
    """Render in the child process and exit."""
    try:
        slot[:] = play(vector)
        os._exit(0)
    except BaseException as error:
        os.write(writer, f"{type(error).__name__}: {error}".encode()[:4000])
    finally:
        os._exit(1)


def render_reused(play: Play, vectors: Iterable[np.ndarray], samples: int, timeout: float) -> Iterator[Rendered]:
    """Call `play` for each vector in this process, for a synthesizer that keeps no state.

    A hang ends the process, by SIGALRM, as a crash does.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for vector in vectors:
        signal.setitimer(signal.ITIMER_REAL, timeout)
        try:
            result = classify(play(vector))
        except (RuntimeError, ValueError) as error:
            result = Rendered(np.zeros(samples, np.float32), "failed", f"{type(error).__name__}: {error}")
        signal.setitimer(signal.ITIMER_REAL, 0)
        yield result


def render_reloaded(host: Callable[[], Host], vectors: Iterable[np.ndarray]) -> Generator[Rendered, None, None]:
    """Reload the plugin for each vector: several times slower, for systems without fork."""
    for vector in vectors:
        fresh = host()
        try:
            result = classify(fresh.play(vector).astype(np.float32))
        except RuntimeError as error:
            result = Rendered(np.zeros(fresh.note.samples, np.float32), "failed", f"RuntimeError: {error}")
        del fresh
        gc.collect()  # the library and its static variables are unloaded with the last instance
        yield result


def classify(audio: Float[np.ndarray, " samples"]) -> Rendered:
    """Determine the status of a sound."""
    if not np.isfinite(audio).all():
        return Rendered(np.zeros_like(audio), "failed", "the sound is not finite")
    peak = np.abs(audio).max()
    return Rendered(audio, "silent" if peak < SILENCE_PEAK else "clipped" if peak >= 1 else "ok")


def serve(connection: Connection, synth: Synth, note: Note, timeout: float) -> None:
    """Send None when the plugin is loaded, and reply to each received vector with its `Rendered`.

    It ends when the client disconnects, or after it has sent an exception.
    """
    try:
        host = Host(synth, note)
        connection.send(None)
        requests = _requests(connection)
        if host.keeps_state:
            results = render_forked(host.play, requests, note.samples, timeout, connection.fileno())
        else:
            results = render_reused(host.play, requests, note.samples, timeout)
        for result in results:
            connection.send(result)
    except ConnectionError:
        return
    except Exception as error:
        with suppress(ConnectionError):
            connection.send(error)


def _requests(connection: Connection) -> Iterator[np.ndarray]:
    while True:
        try:
            yield connection.recv()
        except EOFError:  # the client has disconnected
            return


def main(descriptor: int) -> None:
    """Run the worker process of `flowsynth.rendering.render` on the file descriptor of its connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process ends this one
    connection = Connection(descriptor)
    with suppress(EOFError, ConnectionError):  # the client may have ended before its first message
        serve(connection, *connection.recv())
