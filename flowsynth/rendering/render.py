"""Presets to audio, the same bits in any order: each is played by a plugin in its first state (`flowsynth.rendering.worker`).

A preset that makes the plugin crash or hang spoils its own item only.
"""

import os
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
from jaxtyping import Float

from flowsynth.core import hdf5
from flowsynth.core.progress import log, track
from flowsynth.rendering.host import Host, Note, fingerprint
from flowsynth.rendering.worker import STATUS, Rendered, reloaded
from flowsynth.synths.spec import Synth


def render(synth: Synth, note: Note, vectors: Iterable[np.ndarray], timeout: float) -> Generator[Rendered, None, None]:
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
    return (
        _played(synth, note, vectors, timeout) if hasattr(os, "fork") else reloaded(lambda: Host(synth, note), vectors)
    )


def _played(synth: Synth, note: Note, vectors: Iterable[np.ndarray], timeout: float) -> Generator[Rendered, None, None]:
    """Have the vectors played by a process of its own, which ends with this generator."""
    here, there = Pipe()
    command = [sys.executable, "-c", f"from flowsynth.rendering.worker import main; main({there.fileno()})"]
    package = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen(command, env=environment, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL)
    there.close()
    try:
        here.send((synth, note, timeout))
        for vector in vectors:
            here.send(vector)
            result = here.recv()
            if isinstance(result, Exception):
                raise result
            yield result
    except (EOFError, ConnectionError) as error:
        raise RuntimeError(f"the process that plays {synth.name} ended with status {process.wait()}") from error
    finally:
        here.close()
        process.wait()


class Player:
    """Plays presets as they come, with a plugin that is loaded once, for the first of them; to be closed at the end.

    Args:
        synth: The synthesizer.
        note: What is played.
        timeout: Seconds after which a rendering is given up.
    """

    def __init__(self, synth: Synth, note: Note, timeout: float):
        self._asked: list[np.ndarray] = []
        self._given = synth, note, timeout
        self._sounds: Generator[Rendered, None, None] | None = None

    def __call__(self, values: Float[np.ndarray, " parameters"]) -> Rendered:
        """Render a preset: all parameters in the table's order, in [0, 1].

        Raises:
            FileNotFoundError: If the plugin is missing.
            ValueError: If it is another plugin.
            RuntimeError: If the process that plays ends, and that which is started in its place does too.
        """
        try:
            return self._played(values)
        except RuntimeError as error:
            log.warning("%s; another one is started", error)
            return self._played(values)

    def _played(self, values: np.ndarray) -> Rendered:
        synth, note, timeout = self._given
        if self._sounds is None:
            self._sounds = render(synth, note, self._coming(), timeout)
        self._asked = [values]
        try:
            return next(self._sounds)
        except BaseException:
            self._sounds = None  # it has ended with that
            raise

    def _coming(self) -> Iterator[np.ndarray]:
        while True:
            yield self._asked.pop()

    def close(self) -> None:
        """End the process that plays, if there is one."""
        if self._sounds is not None:
            self._sounds.close()
        self._sounds = None


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
    with hdf5.writing(path, ids, values, synth.names, fingerprint(synth, note)) as file:
        audio = hdf5.add_items(file, "audio", (note.samples,))
        status = hdf5.add_items(file, "status", (), hdf5.TEXT)
        reason = hdf5.add_items(file, "reason", (), hdf5.TEXT)
        results = render(synth, note, file["values"][:], timeout)
        for row, result in enumerate(track(results, len(ids), f"render {path}")):
            audio[row], status[row], reason[row] = result.audio, result.status, result.reason
            count[result.status] += 1
            if result.status != "ok":
                log.info("%s: preset %s is %s %s", path, ids[row], result.status, result.reason)
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
    with hdf5.reading(path) as file:
        now, then = fingerprint(synth, note), hdf5.settings(file)
        differing = {key: (then.get(key), value) for key, value in now.items() if then.get(key) != value}
        if differing:
            raise ValueError(f"{path} was rendered with other settings (then, now): {differing}")
        ids = hdf5.ids(file)
        results = render(synth, note, (file["values"][row] for row in rows), timeout)
        return [
            str(ids[row])
            for row, result in zip(rows, results, strict=True)
            if file["audio"][row].tobytes() != result.audio.tobytes()
        ]
