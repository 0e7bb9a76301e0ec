"""Notes of General MIDI instruments, rendered by fluidsynth from a SoundFont."""

import struct
import subprocess
from pathlib import Path

import numpy as np
from jaxtyping import Float

from flowsynth.core.locks import temporary_folder
from flowsynth.data.out_of_domain import preprocessing
from flowsynth.rendering.host import Note

PROGRAMS = range(120)  # the last 8 of the 128 are sound effects
RATE = 44100  # Hz at which fluidsynth renders
TICKS = 1000  # per second: a quarter note has 500 and lasts 0.5 s


def render_note(soundfont: Path, program: int, note: Note) -> Float[np.ndarray, " samples"]:
    """Render a note with an instrument, without reverb and chorus.

    Args:
        soundfont: File in SF2 format.
        program: General MIDI program number, from 0.
        note: The note of the data set.

    Raises:
        FileNotFoundError: If fluidsynth or the SoundFont is missing.
        ValueError: If the file is not a SoundFont (fluidsynth would fall back to another one), or fluidsynth fails.
    """
    with soundfont.open("rb") as file:
        header = file.read(12)
    if header[:4] != b"RIFF" or header[8:] != b"sfbk":
        raise ValueError(f"{soundfont} is not a SoundFont in SF2 format")
    with temporary_folder() as folder:
        midi, wav = folder / "note.mid", folder / "note.wav"
        midi.write_bytes(midi_file(program, note))
        command = ["fluidsynth", "-n", "-i", "-q", "-R", "0", "-C", "0", "-r", str(RATE), "-T", "wav", "-O", "float"]
        command += ["-F", str(wav), str(soundfont), str(midi)]
        result = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
        if result.returncode or not wav.exists():
            raise ValueError(f"fluidsynth cannot render program {program} of {soundfont}: {result.stderr.strip()}")
        return preprocessing.load(wav, note.sample_rate).audio[: note.samples]


def midi_file(program: int, note: Note) -> bytes:
    """Build a standard MIDI file of format 0 with one note."""
    held, rest = round(note.held * TICKS), round((note.duration - note.held) * TICKS)
    events = [
        (0, bytes([0xC0, program])),
        (0, bytes([0x90, note.pitch, note.velocity])),
        (held, bytes([0x80, note.pitch, 0])),
        (rest, b"\xff\x2f\x00"),
    ]
    track = b"".join(_variable_length(delta) + event for delta, event in events)
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS // 2) + b"MTrk" + struct.pack(">I", len(track)) + track


def _variable_length(number: int) -> bytes:
    """Encode a number as a MIDI variable-length quantity."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(0x80 | (number & 0x7F))
    return bytes(reversed(groups))
