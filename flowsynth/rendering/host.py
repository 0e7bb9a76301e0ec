"""Host a plugin or a Faust program with DawDreamer, or Dexed in its package, verified against its parameter table.

A plugin keeps state between renderings (envelopes, reverb, LFO phase, noise seed), so a `Host` is reproducible only for
the first preset that it plays. `flowsynth.rendering.render` ensures that each preset is the first. Dexed keeps none.
"""

import atexit
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from flowsynth.core import debian
from flowsynth.core.locks import temporary_folder
from flowsynth.rendering.dexed import Dexed
from flowsynth.rendering.faust import Faust
from flowsynth.synths.spec import Synth

PLUGIN_KEYS = ("plugin_sha256", "dawdreamer")  # of `fingerprint`: what identifies plugin and host
PACKAGE_KEY = "plugin_package"  # explains the hash of the plugin, and is never compared


@dataclass(frozen=True)
class Note:
    """The note that is played, and the recording format.

    Attributes:
        sample_rate: Hz.
        block_size: Samples per processing block.
        pitch: MIDI note number.
        velocity: MIDI velocity.
        held: Seconds until the key is released.
        duration: Length of the recording in seconds.
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


@runtime_checkable
class Instrument(Protocol):
    """Interface of what a `Host` plays."""

    def set_note(self, pitch: int, velocity: int, seconds: float) -> None:
        """Play a MIDI note from the start of each rendering, released after the given number of seconds."""

    def set_parameters(self, values: Float[np.ndarray, " parameters"]) -> None:
        """Set all parameters, in the table's order, in [0, 1]."""

    def render(self, seconds: float) -> Float[np.ndarray, "channels samples"]:
        """Render a recording of at least this length, float32."""


class Host:
    """A freshly loaded synthesizer.

    Args:
        synth: Parameter table.
        note: Note to play.

    Attributes:
        keeps_state: Whether a rendering may depend on the renderings before it.

    Raises:
        FileNotFoundError: If the plugin is missing; the message says what to install.
        ValueError: If it can't be loaded, or its parameters do not match the table.
    """

    def __init__(self, synth: Synth, note: Note):
        self.note, self.keeps_state = note, not synth.package
        self._instrument = _instrument(synth, note)
        self._instrument.set_note(note.pitch, note.velocity, note.held)

    def play(self, values: Float[np.ndarray, " parameters"]) -> Float[np.ndarray, " samples"]:
        """Render the note with a preset.

        Args:
            values: All parameters in the table's order, in [0, 1].

        Returns:
            Mean over the channels, float32.
        """
        self._instrument.set_parameters(values)
        return self._instrument.render(self.note.duration)[:, : self.note.samples].mean(axis=0)


def _instrument(synth: Synth, note: Note) -> Instrument:
    if synth.package:
        _require_plugin(synth)
        return Dexed(synth, note.sample_rate)
    engine = _engine(synth, note)
    return Faust(engine, synth) if synth.plugin.suffix == ".dsp" else Plugin(engine, synth)


class Plugin:
    """A plugin in its initial state.

    Args:
        engine: DawDreamer engine.
        synth: Parameter table.
    """

    def __init__(self, engine: Any, synth: Synth):
        self._engine, self.processor = engine, _load(engine, synth)
        _check(self.processor, synth)
        engine.load_graph([(self.processor, [])])

    def set_note(self, pitch: int, velocity: int, seconds: float) -> None:
        """Set the MIDI note, see `Instrument`."""
        self.processor.add_midi_note(pitch, velocity, 0.0, seconds)

    def set_parameters(self, values: Float[np.ndarray, " parameters"]) -> None:
        """Set all parameters, in the table's order, in [0, 1]."""
        for index, value in enumerate(values):
            self.processor.set_parameter(index, float(value))

    def render(self, seconds: float) -> Float[np.ndarray, "channels samples"]:
        """Render, see `Instrument`."""
        self._engine.render(seconds)
        return self._engine.get_audio()


@contextmanager
def open_plugin(synth: Synth, note: Note) -> Iterator[Any]:
    """Open a plugin without a parameter table as a DawDreamer processor; raises like `Host`."""
    engine = _engine(synth, note)
    yield _load(engine, synth)


def _require_plugin(synth: Synth) -> None:
    if not synth.plugin.exists():
        raise FileNotFoundError(f"{synth.name}: no plugin at {synth.plugin}. To install it: {synth.install}")


def _engine(synth: Synth, note: Note) -> Any:
    _require_plugin(synth)
    if not synth.users_home:
        _scratch_home()
    import dawdreamer  # after the home folder is set: plugins write to it when they are loaded

    return dawdreamer.RenderEngine(note.sample_rate, note.block_size)


@cache
def _scratch_home() -> None:
    """Switch to a temporary home folder, so that a plugin neither reads nor changes the user's."""
    stack = ExitStack()
    folder = stack.enter_context(temporary_folder())
    atexit.register(stack.close)
    for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        os.environ[variable] = str(folder)


def _load(engine, synth: Synth):
    """Load the plugin; output of the host is shown only if loading fails."""
    sys.stdout.flush()
    with tempfile.TemporaryFile() as output:
        saved_descriptors = os.dup(1), os.dup(2)
        try:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            return engine.make_plugin_processor(synth.name, str(synth.plugin))
        except RuntimeError as error:
            output.seek(0)
            message = " ".join(output.read().decode(errors="replace").split())
            raise ValueError(f"{synth.plugin} can't be loaded: {error} {message}. {synth.install}") from error
        finally:
            for number, saved in enumerate(saved_descriptors, start=1):
                os.dup2(saved, number)
                os.close(saved)


def _check(plugin, synth: Synth) -> None:
    names = tuple(plugin.get_parameter_name(i) for i in range(plugin.get_plugin_parameter_size()))
    # a VST2 host may append its own parameters
    if names[: len(synth.names)] != synth.names:
        missing, extra = sorted(set(synth.names) - set(names)), sorted(set(names) - set(synth.names))
        raise ValueError(
            f"{synth.plugin} does not match the table {synth.name}.yaml: parameters missing {missing}, "
            f"not in the table {extra}, or in another order. {synth.install}"
        )
    for index, parameter in enumerate(synth.parameters):
        start = plugin.get_parameter(index)
        expected = parameter.default if parameter.start is None else parameter.start
        if abs(start - parameter.normalise(expected)) > 1e-4:
            raise ValueError(
                f"{parameter.name}: default {start} in {synth.plugin}, {expected} in the table. {synth.install}"
            )
        text = []
        for value in (0.0, 0.25, 0.75, 1.0):
            plugin.set_parameter(index, value)
            text.append(plugin.get_parameter_text(index))
        plugin.set_parameter(index, start)
        if tuple(text) != parameter.text:
            raise ValueError(
                f"{parameter.name}: {synth.plugin} shows {text}, the table has {list(parameter.text)}. {synth.install}"
            )


def plugin_record(synth: Synth) -> dict[str, str]:
    """Identify plugin and host: by `PLUGIN_KEYS`, and the package and version of the plugin if dpkg knows it."""
    _require_plugin(synth)
    # a VST3 plugin and a package are folders
    files = sorted(path for path in synth.plugin.rglob("*") if path.is_file() and path.suffix != ".pyc")
    files = files or [synth.plugin]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    record = dict(zip(PLUGIN_KEYS, (digest, version("dawdreamer")), strict=True))
    package = debian.package_version(synth.plugin)
    return record | ({PACKAGE_KEY: package} if package else {})


def plugin_differences(stored: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    """Describe in what two records of plugin and host differ; what one of them lacks is not compared.

    The bits of the plugin decide whether it is the same; its package only explains.

    >>> plugin_differences({"dawdreamer": "0.8"}, {"dawdreamer": "0.9", "plugin_sha256": "1ab2"})
    ['dawdreamer (0.8 and 0.9)']
    """
    keys = [key for key in PLUGIN_KEYS if stored.get(key, current.get(key)) != current.get(key, stored.get(key))]
    if PLUGIN_KEYS[0] in keys and PACKAGE_KEY in stored.keys() & current.keys():
        keys.append(PACKAGE_KEY)
    shown = [{**record, PLUGIN_KEYS[0]: str(record.get(PLUGIN_KEYS[0]))[:12]} for record in (stored, current)]
    return [f"{key} ({shown[0][key]} and {shown[1][key]})" for key in keys]


def fingerprint(synth: Synth, note: Note) -> dict[str, object]:
    """Return everything that a rendering depends on: hash of the plugin, version of the host, and the note."""
    record = plugin_record(synth)
    return {"synth": synth.name, **{key: record[key] for key in PLUGIN_KEYS}, **asdict(note)}
