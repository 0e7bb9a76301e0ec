"""Presets to audio, the same bits in any order.

A plugin that has played once is not the plugin that was loaded: what it plays next depends on what came before. So each
preset is played by a plugin in its first state: the process loads the plugin once, and forks for each preset a child that
plays it, leaves the sound in shared memory and ends. Where there is no fork, the plugin is unloaded and loaded again.

A child that crashes or hangs spoils its own item only. Start this in a process that has no threads (before torch is
imported): a fork copies the memory of a process, but only one of its threads.
"""

import gc
import mmap
import os
import select
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from jaxtyping import Float

from flowsynth import store
from flowsynth.host import Host, Note, fingerprint
from flowsynth.progress import log, track
from flowsynth.synths import Synth

SILENT = 1e-3  # peak below which a sound counts as silent, -60 dB of full scale
STATUS = ("ok", "silent", "clipped", "failed")

Play = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Rendered:
    """One preset's sound: float32 audio (zeros if it failed), a status of `STATUS`, and why it failed."""

    audio: np.ndarray
    status: str
    reason: str = ""


def render(synth: Synth, note: Note, vectors: Iterable[np.ndarray], timeout: float) -> Iterator[Rendered]:
    """Render presets one by one, each by a plugin in its first state.

    Args:
        synth: The synthesizer.
        note: What is played.
        vectors: All parameters of a preset in the table's order, in [0, 1].
        timeout: Seconds after which a rendering is given up.

    Yields:
        One result a vector, in their order.

    Raises:
        FileNotFoundError: If the plugin is missing.
        ValueError: If it is another plugin.
    """
    vectors = (np.asarray(vector, dtype=np.float32) for vector in vectors)
    if hasattr(os, "fork"):
        return forked(Host(synth, note).play, vectors, note.samples, timeout)
    return reloaded(lambda: Host(synth, note), vectors)


def forked(play: Play, vectors: Iterable[np.ndarray], samples: int, timeout: float) -> Iterator[Rendered]:
    """Call `play` for each vector in a forked child of its own; a crash or a hang is that item's failure."""
    with mmap.mmap(-1, samples * 4) as shared:
        slot = np.frombuffer(shared, dtype=np.float32)
        gc.freeze()  # else the collector of each child touches, and so copies, the memory of the parent
        try:
            for vector in vectors:
                reason = _in_child(play, vector, slot, timeout)
                yield Rendered(np.zeros(samples, np.float32), "failed", reason) if reason else judge(slot.copy())
        finally:
            gc.unfreeze()
            del slot


def _in_child(play: Play, vector: np.ndarray, slot: np.ndarray, timeout: float) -> str:
    """Play a vector in a child; why it failed, or nothing."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(play, vector, slot, writer)
    os.close(writer)
    try:
        ended, _, _ = select.select([reader], [], [], timeout)  # the pipe closes when the child ends, however it ends
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


def _child(play: Play, vector: np.ndarray, slot: np.ndarray, writer: int) -> NoReturn:
    """What the child does; it ends here and returns to nobody."""
    try:
        slot[:] = play(vector)
        os._exit(0)
    except BaseException as error:
        os.write(writer, f"{type(error).__name__}: {error}".encode()[:4000])
    finally:
        os._exit(1)


def reloaded(host: Callable[[], Host], vectors: Iterable[np.ndarray]) -> Iterator[Rendered]:
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


def render_shard(
    synth: Synth,
    note: Note,
    ids: Sequence[str],
    values: Float[np.ndarray, "items parameters"],
    path: Path,
    timeout: float,
) -> dict[str, int]:
    """Render presets into a file: ``values``, ``audio`` (items x samples, float32), ``status`` and ``reason``.

    Args:
        synth: The synthesizer.
        note: What is played.
        ids: Of the presets.
        values: One row a preset, all parameters in the table's order, in [0, 1].
        path: Of the file.
        timeout: Seconds after which the rendering of a preset is given up.

    Returns:
        Number of items by status.
    """
    count = dict.fromkeys(STATUS, 0)
    with store.writing(path, ids, values, synth.names, fingerprint(synth, note)) as file:
        audio = store.add_items(file, "audio", (note.samples,))
        status = store.add_items(file, "status", (), store.TEXT)
        reason = store.add_items(file, "reason", (), store.TEXT)
        results = render(synth, note, file["values"][:], timeout)
        for row, result in enumerate(track(results, len(ids), f"render {path}")):
            audio[row], status[row], reason[row] = result.audio, result.status, result.reason
            count[result.status] += 1
            if result.status != "ok":
                log.warning("%s: preset %s is %s %s", path, ids[row], result.status, result.reason)
    return count


def rerender(synth: Synth, note: Note, path: Path, rows: Sequence[int], timeout: float) -> list[str]:
    """Render some items of a file again and compare every bit.

    Args:
        synth: The synthesizer.
        note: What is played.
        path: Of a file made by `render_shard`.
        rows: Which items.
        timeout: Seconds after which the rendering of a preset is given up.

    Returns:
        Ids of the items whose sound differs.

    Raises:
        ValueError: If the file was made by another plugin, host or note.
    """
    with store.reading(path) as file:
        now, then = fingerprint(synth, note), store.settings(file)
        differing = {key: (then.get(key), value) for key, value in now.items() if then.get(key) != value}
        if differing:
            raise ValueError(f"{path} was rendered with other settings (then, now): {differing}")
        ids = store.ids(file)
        results = render(synth, note, (file["values"][row] for row in rows), timeout)
        return [
            str(ids[row])
            for row, result in zip(rows, results, strict=True)
            if file["audio"][row].tobytes() != result.audio.tobytes()
        ]
