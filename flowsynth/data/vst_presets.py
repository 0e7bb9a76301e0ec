"""VST presets and banks, read by the plugin itself.

A file ``.fxp`` (VST2) or ``.vstpreset`` (VST3) is one preset, a file ``.fxb`` is a bank. A bank stored as one opaque
chunk cannot be split; its presets have to be saved one by one.

References:
    Steinberg, VST 2.4 SDK, "vstfxstore.h": big-endian records that begin with ``CcnK``.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flowsynth.core.locks import temporary_folder
from flowsynth.rendering.host import Note, open_plugin
from flowsynth.rendering.plugin_process import run_in_subprocess
from flowsynth.synths.spec import Synth

FORMATS = (".fxp", ".fxb", ".vstpreset")
# magic, size, kind, version, plugin id and version, number of programs or parameters
HEAD = struct.Struct(">4si4siiii")
PROGRAM_NAME = slice(28, 56)
BANK_HEAD = 156  # bytes before the first program of a bank
NOTE = Note(44100, 512, 60, 100, 1.0, 1.0)  # not played


def read(path: Path, synth: Synth) -> list[tuple[str, list[float]]]:
    """Read the presets of a file, with the plugin opened in a separate process.

    Args:
        path: Preset or bank file.
        synth: The synthesizer.

    Returns:
        Name and normalised values of each preset, in the order of the parameter table.

    Raises:
        ValueError: If the file is damaged or rejected by the plugin.
    """
    return run_in_subprocess(synth, _read, path, synth)


def _read(path: Path, synth: Synth) -> list[tuple[str, list[float]]]:
    with open_plugin(synth, NOTE) as plugin:
        if path.suffix == ".vstpreset":
            if path.read_bytes()[:4] != b"VST3":
                raise ValueError(f"{path} is not a VST3 preset: it begins with {path.read_bytes()[:12]!r}")
            return [(path.stem, _load(plugin.load_vst3_preset, path, plugin, synth, path))]
        presets = []
        with temporary_folder() as folder:
            for number, program in enumerate(_programs(path)):
                file = folder / f"{number}.fxp"
                file.write_bytes(program)
                name = program[PROGRAM_NAME].split(b"\0")[0].decode("latin-1").strip() or path.stem
                presets.append((name, _load(plugin.load_preset, file, plugin, synth, path)))
        return presets


def _programs(path: Path) -> Iterator[bytes]:
    """Split a file into programs, each with the content of a file of one preset."""
    data = path.read_bytes()
    kind = data[8:12]
    if len(data) < HEAD.size or data[:4] != b"CcnK" or kind not in (b"FxCk", b"FPCh", b"FxBk", b"FBCh"):
        raise ValueError(f"{path} is not a VST2 preset: it begins with {data[:12]!r}")
    if kind == b"FBCh":
        raise ValueError(f"{path} is a bank in the plugin's own format; save its presets as .fxp files")
    if kind in (b"FxCk", b"FPCh"):
        yield data
        return
    *_, count = HEAD.unpack_from(data)
    start = BANK_HEAD
    for number in range(count):
        end = start + 8 + int.from_bytes(data[start + 4 : start + 8], "big")
        if data[start : start + 4] != b"CcnK" or end > len(data):
            raise ValueError(f"{path}: program {number + 1} of {count} is incomplete, the file may be truncated")
        yield data[start:end]
        start = end


def _load(load: Any, file: Path, plugin: Any, synth: Synth, path: Path) -> list[float]:
    try:
        loaded = load(str(file))
    except RuntimeError as error:
        raise ValueError(f"{path}: {error}") from error
    if not loaded:
        raise ValueError(f"{synth.plugin} rejects {path}")
    return [min(1.0, max(0.0, plugin.get_parameter(index))) for index in range(len(synth.names))]
