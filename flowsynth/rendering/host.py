"""The plugin itself, or a Faust program, hosted by DawDreamer and held to its parameter table.

A plugin keeps state between renderings (envelopes, reverb, the phase of its LFO, the seed of its noise), so one `Host`
gives reproducible sound only for the first preset it plays. `flowsynth.rendering.render` sees to it that each preset is the
first.
"""

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from multiprocessing import get_context
from typing import Any, Protocol, TypeVar

import numpy as np
from jaxtyping import Float

from flowsynth.rendering.faust import Faust
from flowsynth.synths.spec import Synth

Result = TypeVar("Result")


@dataclass(frozen=True)
class Note:
    """What is played and how it is recorded.

    Attributes:
        sample_rate: Hz.
        block_size: Samples handed to the plugin at once.
        pitch: MIDI note.
        velocity: MIDI velocity.
        held: Seconds until the key is released.
        duration: Seconds recorded.
    """

    sample_rate: int
    block_size: int
    pitch: int
    velocity: int
    held: float
    duration: float

    @property
    def samples(self) -> int:
        """Length of a recording in samples."""
        return round(self.sample_rate * self.duration)


class Instrument(Protocol):
    """What a host plays."""

    processor: Any

    def hold(self, pitch: int, velocity: int, seconds: float) -> None:
        """Press the key of a MIDI note at the beginning of each rendering, and release it after some seconds."""

    def set(self, values: Float[np.ndarray, " parameters"]) -> None:
        """Set all parameters, in the table's order, in [0, 1]."""


class Host:
    """A freshly loaded plugin, or Faust program.

    Args:
        synth: Its parameter table.
        note: What it will play.

    Raises:
        FileNotFoundError: If the plugin is missing; the message says what to install.
        ValueError: If it can't be loaded, or its parameters are not those of the table.
    """

    def __init__(self, synth: Synth, note: Note):
        self.note = note
        self._engine = _engine(synth, note)
        kind = Faust if synth.plugin.suffix == ".dsp" else Plugin
        self._instrument: Instrument = kind(self._engine, synth)
        self._instrument.hold(note.pitch, note.velocity, note.held)
        self._engine.load_graph([(self._instrument.processor, [])])

    def play(self, values: Float[np.ndarray, " parameters"]) -> Float[np.ndarray, " samples"]:
        """Play the note with these parameter values.

        Args:
            values: All parameters in the table's order, in [0, 1].

        Returns:
            The mean of the instrument's channels, float32.
        """
        self._instrument.set(values)
        self._engine.render(self.note.duration)
        return self._engine.get_audio()[:, : self.note.samples].mean(axis=0)


class Plugin:
    """A plugin in its first state.

    Args:
        engine: DawDreamer's engine.
        synth: The parameter table.
    """

    def __init__(self, engine: Any, synth: Synth):
        self.processor = _load(engine, synth)
        _check(self.processor, synth)

    def hold(self, pitch: int, velocity: int, seconds: float) -> None:
        """Play a MIDI note, as `Instrument` says."""
        self.processor.add_midi_note(pitch, velocity, 0.0, seconds)

    def set(self, values: Float[np.ndarray, " parameters"]) -> None:
        """Set all parameters, in the table's order, in [0, 1]."""
        for index, value in enumerate(values):
            self.processor.set_parameter(index, float(value))


def apart(work: Callable[..., Result], *arguments: Any) -> Result:
    """Call a function in a process of its own: a plugin may crash it, or change how it rounds.

    Raises:
        ValueError: If that process crashes; else as the function does.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        try:
            return pool.submit(work, *arguments).result()
        except BrokenProcessPool as error:
            raise ValueError(f"the plugin crashed its process in {work.__name__}") from error


@contextmanager
def opened(synth: Synth, note: Note) -> Iterator[Any]:
    """Open a plugin that has no table yet, as DawDreamer hosts it; raises as `Host` does."""
    engine = _engine(synth, note)
    yield _load(engine, synth)


def _engine(synth: Synth, note: Note) -> Any:
    if not synth.plugin.exists():
        raise FileNotFoundError(f"{synth.name}: no plugin at {synth.plugin}. To install it: {synth.install}")
    if not synth.users_home:
        _scratch_home()
    import dawdreamer  # after the home folder is set: a plugin writes there as soon as it is loaded

    return dawdreamer.RenderEngine(note.sample_rate, note.block_size)


@cache
def _scratch_home() -> None:
    """Give the plugin a home folder of its own, so that it neither reads nor changes the user's."""
    folder = tempfile.mkdtemp(prefix="flowsynth-home-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        os.environ[variable] = folder


def _load(engine, synth: Synth):
    """Load the plugin. What the host prints meanwhile is of interest only where it fails."""
    sys.stdout.flush()
    with tempfile.TemporaryFile() as printed:
        kept = os.dup(1), os.dup(2)
        try:
            os.dup2(printed.fileno(), 1)
            os.dup2(printed.fileno(), 2)
            return engine.make_plugin_processor(synth.name, str(synth.plugin))
        except RuntimeError as error:
            printed.seek(0)
            told = " ".join(printed.read().decode(errors="replace").split())
            raise ValueError(f"{synth.plugin} can't be loaded: {error} {told}. {synth.install}") from error
        finally:
            for number, saved in enumerate(kept, start=1):
                os.dup2(saved, number)
                os.close(saved)


def _check(plugin, synth: Synth) -> None:
    found = tuple(plugin.get_parameter_name(i) for i in range(plugin.get_plugin_parameter_size()))
    # a VST2 host may add parameters of its own behind the plugin's
    if found[: len(synth.names)] != synth.names:
        missing, extra = sorted(set(synth.names) - set(found)), sorted(set(found) - set(synth.names))
        raise ValueError(
            f"{synth.plugin} is not the plugin of the table {synth.name}.yaml: parameters missing {missing}, "
            f"not in the table {extra}, or in another order. {synth.install}"
        )
    for index, parameter in enumerate(synth.parameters):
        start = plugin.get_parameter(index)
        expected = parameter.default if parameter.start is None else parameter.start
        if abs(start - parameter.normalise(expected)) > 1e-4:
            raise ValueError(f"{parameter.name}: default {start} in {synth.plugin}, {expected} in the table")
        shown = []
        for value in (0.0, 0.25, 0.75, 1.0):
            plugin.set_parameter(index, value)
            shown.append(plugin.get_parameter_text(index))
        plugin.set_parameter(index, start)
        if tuple(shown) != parameter.text:
            raise ValueError(f"{parameter.name}: {synth.plugin} shows {shown}, the table has {list(parameter.text)}")


def fingerprint(synth: Synth, note: Note) -> dict[str, object]:
    """Everything that the sound of a preset depends on: the plugin's hash, the host's version and the note."""
    if not synth.plugin.exists():
        raise FileNotFoundError(f"{synth.name}: no plugin at {synth.plugin}. To install it: {synth.install}")
    # a VST3 plugin is a folder
    files = sorted(path for path in synth.plugin.rglob("*") if path.is_file()) or [synth.plugin]
    return {
        "synth": synth.name,
        "plugin_sha256": hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest(),
        "dawdreamer": version("dawdreamer"),
        **asdict(note),
    }
