"""Presets in the formats of VST: read by the plugin itself, which alone knows what they mean.

A file ``.fxp`` (VST2) or ``.vstpreset`` (VST3) is one preset; a file ``.fxb`` is a bank of them. A bank that holds one opaque
chunk of the plugin's own can't be taken apart: its presets have to be saved one by one.

References:
    Steinberg, VST 2.4 SDK, "vstfxstore.h": big-endian records that begin with ``CcnK``.
"""

import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flowsynth.rendering.host import Note, open_plugin, run_in_subprocess
from flowsynth.synths.spec import Synth

FORMATS = (".fxp", ".fxb", ".vstpreset")
HEAD = struct.Struct(">4si4siiii")  # magic, size, kind, version, plugin, its version, number of programs or parameters
PROGRAM_NAME = slice(28, 56)
BANK_HEAD = 156  # bytes before the first program of a bank
NOTE = Note(44100, 512, 60, 100, 1.0, 1.0)  # nothing is played


def read(path: Path, synth: Synth) -> list[tuple[str, list[float]]]:
    """Read the presets of a file.

    Args:
        path: Of the file.
        synth: The synthesizer, whose plugin is opened, in a process of its own.

    Returns:
        Name and normalised values, in the table's order, of each preset.

    Raises:
        ValueError: If the file is damaged, or the plugin does not read it.
    """
    return run_in_subprocess(_read, path, synth)


def _read(path: Path, synth: Synth) -> list[tuple[str, list[float]]]:
    with open_plugin(synth, NOTE) as plugin:
        if path.suffix == ".vstpreset":
            if path.read_bytes()[:4] != b"VST3":
                raise ValueError(f"{path} is no preset of VST3: it begins with {path.read_bytes()[:12]!r}")
            return [(path.stem, _load(plugin.load_vst3_preset, path, plugin, synth, path))]
        found = []
        with tempfile.TemporaryDirectory() as folder:
            for number, program in enumerate(_programs(path)):
                one = Path(folder) / f"{number}.fxp"
                one.write_bytes(program)
                name = program[PROGRAM_NAME].split(b"\0")[0].decode("latin-1").strip() or path.stem
                found.append((name, _load(plugin.load_preset, one, plugin, synth, path)))
        return found


def _programs(path: Path) -> Iterator[bytes]:
    """The programs in a file, each as a file of its own would have it."""
    data = path.read_bytes()
    kind = data[8:12]
    if len(data) < HEAD.size or data[:4] != b"CcnK" or kind not in (b"FxCk", b"FPCh", b"FxBk", b"FBCh"):
        raise ValueError(f"{path} is no preset of VST2: it begins with {data[:12]!r}")
    if kind == b"FBCh":
        raise ValueError(f"{path} is a bank in the plugin's own format; save its presets one by one, as .fxp")
    if kind in (b"FxCk", b"FPCh"):
        yield data
        return
    *_, count = HEAD.unpack_from(data)
    place = BANK_HEAD
    for number in range(count):
        end = place + 8 + int.from_bytes(data[place + 4 : place + 8], "big")
        if data[place : place + 4] != b"CcnK" or end > len(data):
            raise ValueError(f"{path}: program {number + 1} of {count} is not whole, the file may be truncated")
        yield data[place:end]
        place = end


def _load(load: Any, file: Path, plugin: Any, synth: Synth, path: Path) -> list[float]:
    try:
        taken = load(str(file))
    except RuntimeError as error:
        raise ValueError(f"{path}: {error}") from error
    if not taken:
        raise ValueError(f"{synth.plugin} does not read {path}")
    return [min(1.0, max(0.0, plugin.get_parameter(index))) for index in range(len(synth.names))]
