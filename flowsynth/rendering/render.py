"""Bit-identical, order-independent rendering: a plugin in its initial state plays each preset.

See `flowsynth.rendering.worker`. A preset that makes the plugin crash or hang affects only its own item.
"""

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from flowsynth.core import hdf5
from flowsynth.core.progress import log, track
from flowsynth.rendering.host import Host, Note, fingerprint, plugin_record
from flowsynth.rendering.plugin_process import PluginProcess
from flowsynth.rendering.worker import STATUS, Rendered, render_reloaded
from flowsynth.synths.spec import Synth


def render(synth: Synth, note: Note, vectors: Iterable[np.ndarray], timeout: float) -> Generator[Rendered, None, None]:
    """Render presets one by one, each with a plugin in its initial state.

    Args:
        synth: Synthesizer.
        note: Note to play.
        vectors: Presets: all parameters in the table's order, in [0, 1].
        timeout: Maximum duration of a rendering in seconds.

    Yields:
        One result per preset, in order.

    Raises:
        FileNotFoundError: If the plugin is missing.
        ValueError: If it does not load, or does not match the parameter table.
        RuntimeError: If the worker process ends.
    """
    vectors = (np.asarray(vector, dtype=np.float32) for vector in vectors)
    if hasattr(os, "fork"):
        return _render_in_worker(synth, note, vectors, timeout)
    return render_reloaded(lambda: Host(synth, note), vectors)


def _render_in_worker(
    synth: Synth, note: Note, vectors: Iterable[np.ndarray], timeout: float
) -> Generator[Rendered, None, None]:
    """Render in a worker process, which ends with this generator."""
    with PluginProcess(synth, ("flowsynth.rendering.worker", "main")) as process:
        process.send((synth, note, timeout))
        process.receive_loaded()
        for vector in vectors:
            process.send(vector)
            yield process.receive()


class Renderer:
    """Renders presets on demand with a worker process that loads the plugin once; must be closed.

    Args:
        synth: Synthesizer.
        note: Note to play.
        timeout: Maximum duration of a rendering in seconds.
    """

    def __init__(self, synth: Synth, note: Note, timeout: float):
        self._pending: list[np.ndarray] = []
        self._settings = synth, note, timeout
        self._results: Generator[Rendered, None, None] | None = None

    def __call__(self, values: Float[np.ndarray, " parameters"]) -> Rendered:
        """Render a preset, given as all parameters in the table's order, in [0, 1].

        Raises:
            FileNotFoundError: If the plugin is missing.
            ValueError: If it does not load, or does not match the parameter table.
            RuntimeError: If the worker process ends, and its replacement too.
        """
        try:
            return self._render(values)
        except RuntimeError as error:
            log.warning("%s; starting another one", error)
            return self._render(values)

    def _render(self, values: np.ndarray) -> Rendered:
        if self._results is None:
            synth, note, timeout = self._settings
            self._results = render(synth, note, self._requests(), timeout)
        self._pending = [values]
        try:
            return next(self._results)
        except BaseException:
            self._results = None  # the generator has ended
            raise

    def _requests(self) -> Iterator[np.ndarray]:
        while True:
            yield self._pending.pop()

    def close(self) -> None:
        """End the worker process, if there is one."""
        if self._results is not None:
            self._results.close()
        self._results = None


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
        synth: Synthesizer.
        note: Note to play.
        ids: Preset ids.
        values: One row per preset, all parameters in the table's order, in [0, 1].
        path: Output file.
        timeout: Maximum duration of a rendering in seconds.

    Returns:
        Number of items by status.
    """
    count = dict.fromkeys(STATUS, 0)
    settings = plugin_record(synth) | fingerprint(synth, note)
    with hdf5.writing(path, ids, values, synth.names, settings) as file:
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
        synth: Synthesizer.
        note: Note to play.
        path: File written by `render_shard`.
        rows: Rows of the items.
        timeout: Maximum duration of a rendering in seconds.

    Returns:
        Ids of the items whose audio differs.

    Raises:
        ValueError: If the file was rendered with another plugin, host or note.
    """
    with hdf5.reading(path) as file:
        current, stored = fingerprint(synth, note), hdf5.settings(file)
        differing = {key: (stored.get(key), value) for key, value in current.items() if stored.get(key) != value}
        if differing:
            raise ValueError(f"{path} was rendered with other settings (stored, current): {differing}")
        ids = hdf5.ids(file)
        results = render(synth, note, (file["values"][row] for row in rows), timeout)
        return [
            str(ids[row])
            for row, result in zip(rows, results, strict=True)
            if file["audio"][row].tobytes() != result.audio.tobytes()
        ]
