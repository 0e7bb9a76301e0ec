"""Sounds that are refused, each for another reason."""

import os
import struct
from pathlib import Path

import numpy as np
import soundfile
from bad_inputs import bad_input

from flowsynth.apps.match import find_sounds
from flowsynth.data.out_of_domain.preprocessing import prepare_file
from flowsynth.metrics import evaluate
from flowsynth.rendering.host import Note

RATE = 22050
NOTE, LEVEL = Note(RATE, 512, 60, 100, 3.0, 4.0), 0.15


def sine(frequency: float = 220, peak: float = 0.5, seconds: float = 1) -> np.ndarray:
    return peak * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)


def prepare_samples(samples: np.ndarray, rate: int = RATE) -> None:
    soundfile.write("sound.wav", samples, rate, subtype="FLOAT")
    prepare_file(Path("sound.wav"), NOTE, LEVEL)


def prepare_changed(start: int, stop: int, content: bytes, cut: int | None = None) -> None:
    """Prepare a WAV file some bytes of which are replaced, or which is cut off."""
    soundfile.write("sound.wav", sine(), RATE)
    data = bytearray(Path("sound.wav").read_bytes())
    data[start:stop] = content
    Path("sound.wav").write_bytes(data[:cut])
    prepare_file(Path("sound.wav"), NOTE, LEVEL)


@bad_input("Sounds", "a file that does not exist", "sound.wav is not there", "check the path")
def absent(folder: Path) -> None:
    prepare_file(Path("sound.wav"), NOTE, LEVEL)


@bad_input("Sounds", "a link to itself", "sound.wav can't be opened", "check the path")
def loop(folder: Path) -> None:
    Path("sound.wav").symlink_to("sound.wav")
    prepare_file(Path("sound.wav"), NOTE, LEVEL)


@bad_input("Sounds", "a folder", "sound.wav is a folder", "name a sound file")
def directory(folder: Path) -> None:
    Path("sound.wav").mkdir()
    prepare_file(Path("sound.wav"), NOTE, LEVEL)


@bad_input("Sounds", "a named pipe", "sound.wav is no file", "save the sound as a file")
def pipe(folder: Path) -> None:
    os.mkfifo("sound.wav")
    prepare_file(Path("sound.wav"), NOTE, LEVEL)


@bad_input("Sounds", "samples without a header", "sound.raw can't be read", "convert it to WAV or FLAC")
def raw(folder: Path) -> None:
    sine().astype(np.int16).tofile("sound.raw")
    prepare_file(Path("sound.raw"), NOTE, LEVEL)


@bad_input("Sounds", "a header without samples", "sound.wav has no samples", "export it again")
def header_only(folder: Path) -> None:
    prepare_samples(np.zeros(0))


@bad_input(
    "Sounds", "a part of a file", "sound.wav is cut off", "44100 bytes", "it has 9956", "copy or export it again"
)
def cut(folder: Path) -> None:
    prepare_changed(0, 0, b"", cut=10_000)


@bad_input("Sounds", "more samples than the header states", "sound.wav is longer", "20000 bytes", "export it again")
def longer(folder: Path) -> None:
    prepare_changed(40, 44, struct.pack("<I", 20_000))


@bad_input("Sounds", "an impossible sample rate", "sound.wav has a sample rate of 1 Hz", "2000 to 1000000", "correct")
def sample_rate(folder: Path) -> None:
    prepare_samples(sine(), 1)


@bad_input("Sounds", "samples that are not finite", "sound.wav has samples", "(nan", "export it again")
def not_finite(folder: Path) -> None:
    prepare_samples(np.append(sine(), np.nan))


@bad_input("Sounds", "samples far beyond full scale", "sound.wav has samples", "(1e+30", "export it again")
def huge(folder: Path) -> None:
    prepare_samples(sine(peak=1e30, seconds=1.01))


@bad_input("Sounds", "silence", "sound.wav is silent", "choose a louder one")
def silent(folder: Path) -> None:
    prepare_samples(sine(peak=1e-6))


@bad_input("Sounds", "an offset without a sound", "sound.wav is silent", "offset of 0.25 removed")
def offset(folder: Path) -> None:
    prepare_samples(np.full(RATE, 0.25))


@bad_input("Sounds", "silence in the first minute", "sound.wav is silent", "first 60 s of 61.00 s used")
def silent_minute(folder: Path) -> None:
    prepare_samples(np.concatenate([np.zeros(60 * RATE), sine()]))


@bad_input("Sounds", "inaudible frequencies", "sound.wav has only frequencies below 20 Hz", "choose another")
def infrasound(folder: Path) -> None:
    prepare_samples(sine(5))


@bad_input("Sounds", "a click", "sound.wav is too short: 0.050 s", "expected 0.1 s", "choose a longer one")
def short(folder: Path) -> None:
    prepare_samples(np.concatenate([np.zeros(RATE), sine(440, seconds=0.05), np.zeros(RATE)]))


@bad_input("Sounds", "a stereo file for metrics", "stereo.wav has 2 channels, expected 1", "mix them")
def stereo(folder: Path) -> None:
    soundfile.write("stereo.wav", np.zeros((RATE, 2)), RATE)
    evaluate("stereo.wav", np.zeros(RATE))


@bad_input("Sounds", "a folder without sounds", "no sounds (.wav, ", "in empty: choose another folder")
def no_sounds(folder: Path) -> None:
    Path("empty").mkdir()
    find_sounds([Path("empty")], Path("out"))


@bad_input("Sounds", "a sound in the output folder", "out/sound.wav is in the output folder", "choose another --out")
def in_output(folder: Path) -> None:
    find_sounds([Path("out/sound.wav")], Path("out"))
