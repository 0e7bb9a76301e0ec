"""Notes of General MIDI instruments, played by fluidsynth from a sound font."""

import struct
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from jaxtyping import Float

from flowsynth.data.out_of_domain import preprocessing
from flowsynth.rendering.host import Note

PROGRAMS = range(120)  # the last 8 of the 128 are sound effects
RATE = 44100  # Hz at which fluidsynth renders
TICKS = 1000  # a second, as a quarter note lasts 0.5 s and has 500


def play(soundfont: Path, program: int, note: Note) -> Float[np.ndarray, " samples"]:
    """Play a note with an instrument, dry, as the data set's note is played.

    Args:
        soundfont: File in format SF2.
        program: General MIDI number, from 0.
        note: Pitch, velocity, seconds held and recorded, and rate.

    Raises:
        FileNotFoundError: If fluidsynth or the sound font is missing.
        ValueError: If it can't play, or that is no sound font: fluidsynth would take another then.
    """
    with soundfont.open("rb") as file:
        head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise ValueError(f"{soundfont} is no sound font of format SF2")
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder, "note.mid"), Path(folder, "note.wav")
        midi.write_bytes(midi_file(program, note))
        command = ["fluidsynth", "-n", "-i", "-q", "-R", "0", "-C", "0", "-r", str(RATE), "-T", "wav", "-O", "float"]
        command += ["-F", str(wav), str(soundfont), str(midi)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode or not wav.exists():
            raise ValueError(f"fluidsynth can't play program {program} of {soundfont}: {done.stderr.strip()}")
        return preprocessing.load(wav, note.sample_rate)[: note.samples]


def midi_file(program: int, note: Note) -> bytes:
    """A standard MIDI file of format 0 with one note."""
    held, rest = round(note.held * TICKS), round((note.duration - note.held) * TICKS)
    events = [
        (0, bytes([0xC0, program])),
        (0, bytes([0x90, note.pitch, note.velocity])),
        (held, bytes([0x80, note.pitch, 0])),
        (rest, b"\xff\x2f\x00"),
    ]
    track = b"".join(_variable(delta) + event for delta, event in events)
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS // 2) + b"MTrk" + struct.pack(">I", len(track)) + track


def _variable(number: int) -> bytes:
    """A number in groups of 7 bits, all but the last marked."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(0x80 | (number & 0x7F))
    return bytes(reversed(groups))
