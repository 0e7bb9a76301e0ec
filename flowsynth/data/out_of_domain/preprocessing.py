"""Preprocessing of out-of-domain sounds: match sample rate, length, pitch and level of a data set.

The steps, in order:

1. Read at most the first minute, average the channels, and resample (soxr).
2. Trim silence: everything before the first and after the last sample within 40 dB of the peak.
3. Truncate to the length of the data set's recordings, estimate the pitch, and shift it to the note of the data set, by
   a fractional number of semitones. A sound without a clear pitch is not shifted.
4. Fade out over the last second if the sound was truncated, else over the last 10 ms; pad with zeros.
5. Scale so that the RMS level of the loudest 0.4 s equals that of the median training sound, with the peak limited to
   full scale. Peak normalisation would make voices quieter than synthesizers; the RMS of the whole would boost short
   sounds.

References:
    Esling et al., "Universal audio synthesizer control with normalizing flows", 2019: the shift to the rendered note,
    by the most frequent pitch, and the fade of one second.
    Mauch, Dixon, "pYIN: a fundamental frequency estimator using probabilistic threshold distributions", ICASSP 2014.
    ITU-R BS.1771: momentary loudness, a window of 0.4 s every 0.1 s.
"""

import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import soundfile
import soxr
from jaxtyping import Float

from flowsynth.core.locks import lock
from flowsynth.rendering.host import Note
from flowsynth.rendering.worker import SILENCE_PEAK

Sound = Float[np.ndarray, " samples"]

MAX_READ = 60.0  # s read from a file
MIN_DURATION = 0.1  # s, after trimming
TRIM_LEVEL = 0.01  # of the peak, below which either end is silence
FADE, SHORT_FADE = 1.0, 0.01  # s, fade-out of truncated and of other sounds
LEVEL_HOP, LEVEL_HOPS = 0.1, 4  # s, hop of the level window, and its length in hops
LOWEST, HIGHEST = 40.0, 1000.0  # Hz, range of fundamental frequencies
FRAME, HOP = 2048, 1024  # samples, of the pitch estimators
RESOLUTION = 0.2  # semitones, of pYIN; YIN is finer
LOUD = 0.1  # of the level of the loudest frame, above which a frame counts for the pitch
MIN_PROBABILITY = 0.1  # voicing probability required of a frame; noise has about 0.01
MIN_VOICED = 0.5  # share of the loud frames that must be voiced


@dataclass(frozen=True)
class PreparedSound:
    """A sound that matches the data set.

    Attributes:
        audio: Float32, as long as a recording of the data set.
        pitch: Original pitch as a fractional MIDI note; None without a clear pitch.
        shift: Pitch shift in semitones.
        gain: Change of level in dB.
        note: Remarks on the preprocessing; may be empty.
    """

    audio: np.ndarray
    pitch: float | None
    shift: float
    gain: float
    note: str


def load(path: Path, sample_rate: int) -> Sound:
    """Read a sound file in any format of libsndfile, as mono float32 at a sample rate.

    Raises:
        ValueError: If the file is missing, not a sound file, damaged, empty, or has samples that are not finite.
    """
    if not path.is_file():
        raise ValueError("is not there" if not path.exists() else "is no file")
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:  # file names may be invalid text
            audio, rate = file.read(int(MAX_READ * file.samplerate), dtype="float32", always_2d=True), file.samplerate
    except soundfile.LibsndfileError as error:
        raise ValueError(f"can't be read: {error.error_string}") from error
    if len(audio) == 0:
        raise ValueError("has no samples")
    if not np.isfinite(audio).all():
        raise ValueError("has samples that are not finite")
    return soxr.resample(audio.mean(axis=1), rate, sample_rate).astype(np.float32)


def trim(audio: Sound, sample_rate: int) -> Float[np.ndarray, " trimmed"]:
    """Trim silence at both ends.

    Raises:
        ValueError: If the sound is silent, or shorter than `MIN_DURATION` after trimming.
    """
    magnitude = np.abs(audio)
    peak = magnitude.max(initial=0)
    if peak < SILENCE_PEAK:
        raise ValueError(f"is silent: its peak is {peak:.2g}, expected at least {SILENCE_PEAK:g}")
    loud = np.flatnonzero(magnitude >= TRIM_LEVEL * peak)
    trimmed = audio[loud[0] : loud[-1] + 1]
    if len(trimmed) < MIN_DURATION * sample_rate:
        raise ValueError(f"is too short: {len(trimmed) / sample_rate:.3f} s without silence, expected {MIN_DURATION} s")
    return trimmed


def estimate_pitch(audio: Sound, sample_rate: int) -> float | None:
    """Estimate the pitch of a sound: the median over its loud voiced frames, as a fractional MIDI note.

    pYIN decides which frames are voiced and gives a rough pitch, YIN refines it to a few cents. Frames more than 20 dB
    below the loudest are ignored, because of mains hum in recordings.

    Returns:
        The pitch, or None if less than half of the loud frames are voiced.
    """
    compile_estimators()
    rough, voiced, probability, fine = _run_estimators(audio, sample_rate)
    level = librosa.feature.rms(y=audio, frame_length=FRAME, hop_length=HOP)[0]
    loud = level >= LOUD * level.max()
    reliable = loud & voiced & (probability >= MIN_PROBABILITY)
    consistent = reliable & (np.abs(12 * np.log2(fine / np.where(voiced, rough, fine))) < 0.5)
    if reliable.sum() < MIN_VOICED * loud.sum() or not consistent.any():
        return None
    return float(np.median(librosa.hz_to_midi(fine[consistent])))


def _run_estimators(audio: Sound, sample_rate: int) -> tuple[np.ndarray, ...]:
    """Return pYIN's pitch, voicing and its probability, and YIN's pitch, of each frame; pitches are in Hz."""
    options: dict[str, Any] = {
        "fmin": LOWEST,
        "fmax": HIGHEST,
        "sr": sample_rate,
        "frame_length": FRAME,
        "hop_length": HOP,
    }
    return *librosa.pyin(audio, resolution=RESOLUTION, **options), librosa.yin(audio, **options)


@cache
def compile_estimators() -> None:
    """Compile the estimators, on each host in one process of a user at a time.

    After two processes had compiled them at once, numba's cache was seen to end all later ones with a segmentation fault.
    """
    with (Path(tempfile.gettempdir()) / f"flowsynth-pitch-{os.getuid()}.lock").open("w") as file:
        lock(file.fileno(), wait=True)
        _run_estimators(np.zeros(2 * FRAME, np.float32), 16000)


def fade_and_pad(audio: Sound, length: int, sample_rate: int, truncated: bool) -> Float[np.ndarray, " length"]:
    """Fade a sound out and pad it with zeros.

    Args:
        audio: Sound of at most `length` samples.
        length: Output length in samples.
        sample_rate: Hz.
        truncated: Whether the sound was truncated, and needs a long fade.
    """
    fade = min(round((FADE if truncated else SHORT_FADE) * sample_rate), len(audio))
    faded = audio.copy()
    faded[len(audio) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return np.pad(faded, (0, length - len(audio)))


def measure_level(audio: Sound, sample_rate: int) -> float:
    """Measure the RMS level of the loudest 0.4 s."""
    step = round(LEVEL_HOP * sample_rate)
    power = np.square(audio[: len(audio) // step * step].reshape(-1, step), dtype=np.float64).mean(axis=1)
    return float(np.sqrt(np.convolve(power, np.full(LEVEL_HOPS, 1 / LEVEL_HOPS), "valid").max()))


def prepare(audio: Sound, note: Note, level: float, known: float | None = None) -> PreparedSound:
    """Apply the steps above, except reading, to a sound.

    Args:
        audio: Mono sound at the sample rate of the note.
        note: The note of the data set.
        level: Level of the median training sound, by `measure_level`.
        known: Pitch as a MIDI note, if known; otherwise it is estimated.

    Raises:
        ValueError: If the sound is silent or too short.
    """
    rate, remarks = note.sample_rate, []
    trimmed = trim(audio, rate)
    truncated = len(trimmed) > note.samples
    sound = trimmed[: note.samples]
    pitch = estimate_pitch(sound, rate) if known is None else known
    shift = 0.0 if pitch is None else note.pitch - pitch
    if pitch is None:
        remarks.append("no clear pitch, not shifted")
    elif shift:
        sound = librosa.effects.pitch_shift(sound, sr=rate, n_steps=shift).astype(np.float32)
    if truncated:
        remarks.append(f"cut from {len(trimmed) / rate:.2f} s")
    padded = fade_and_pad(sound, note.samples, rate, truncated)
    gain, max_gain = level / measure_level(padded, rate), 1 / float(np.abs(padded).max())
    if gain > max_gain:
        remarks.append("quieter than the target level, limited by its peak")
    gain = min(gain, max_gain)
    return PreparedSound(padded * np.float32(gain), pitch, shift, float(20 * np.log10(gain)), "; ".join(remarks))
