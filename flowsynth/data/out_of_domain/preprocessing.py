"""Recorded sounds made fit for a data set: mono, at its rate, trimmed, at the pitch of its note, as loud as its own sounds.

The rules, in their order:

1. Channels are averaged, other rates resampled (soxr), of a long file the first minute is read.
2. What comes before the first and after the last sample that reaches -40 dB of the peak is silence and is cut off.
3. What is longer than the recordings of the data set is cut; the pitch of what is kept is estimated, and the sound shifted
   by that many semitones, a fraction included, that it is at the note of the data set. A sound without a clear pitch stays.
4. A sound that was cut fades out over its last second, one that was not over its last 10 ms; zeros fill it up.
5. Its loudest 0.4 s are made as loud (RMS) as those of the median training sound, but no peak beyond full scale. The peak
   alone would make a voice softer than a synthesizer, and the RMS of the whole would blow up a short sound.

References:
    Esling et al., "Universal audio synthesizer control with normalizing flows", 2019: the shift to the rendered note, by
    the most frequent pitch, and the fade of one second.
    Mauch, Dixon, "pYIN: a fundamental frequency estimator using probabilistic threshold distributions", ICASSP 2014.
    ITU-R BS.1771: momentary loudness, the window of 0.4 s each 0.1 s.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import soundfile
import soxr
from jaxtyping import Float

from flowsynth.rendering.host import Note
from flowsynth.rendering.worker import SILENCE_PEAK

Sound = Float[np.ndarray, " samples"]

LONGEST = 60.0  # s read of a file
SHORTEST = 0.1  # s, of what is left after trimming
QUIET = 0.01  # of the peak: what is below at either end is silence
FADE, EDGE = 1.0, 0.01  # s of the fade at the end: where a sound was cut, and where it ends
STEP, STEPS = 0.1, 4  # s: the loudest window is so many steps
LOWEST, HIGHEST = 40.0, 1000.0  # Hz: fundamental frequencies looked for
FRAME, HOP = 2048, 1024  # samples in which they are looked for
GRID = 0.2  # semitones: pitches that pYIN tells apart; YIN is finer
LOUD = 0.1  # of the loudest frame: what is softer has no say in the pitch
SURE = 0.1  # probability of a pitch that a frame must have; noise has some 0.01
VOICED = 0.5  # share of the loud frames that must have a pitch


@dataclass(frozen=True)
class Prepared:
    """A sound that fits the data set.

    Attributes:
        audio: Float32, as long as a recording of the data set.
        pitch: What it was at, in fractions of a MIDI note; None if it has no clear pitch.
        shift: By how many semitones it was shifted.
        gain: By how many dB its level was changed.
        note: What should be known about it; empty if nothing.
    """

    audio: np.ndarray
    pitch: float | None
    shift: float
    gain: float
    note: str


def load(path: Path, sample_rate: int) -> Sound:
    """Read a sound file of any format that libsndfile knows, as float32 at a rate.

    Raises:
        ValueError: If there is no such file, it is no sound file, is damaged or empty, or holds what is not a number.
    """
    if not path.is_file():
        raise ValueError("is not there" if not path.exists() else "is no file")
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:  # a name may be no text
            audio, rate = file.read(int(LONGEST * file.samplerate), dtype="float32", always_2d=True), file.samplerate
    except soundfile.LibsndfileError as error:
        raise ValueError(f"can't be read: {error.error_string}") from error
    if len(audio) == 0:
        raise ValueError("has no samples")
    if not np.isfinite(audio).all():
        raise ValueError("has samples that are not finite")
    return soxr.resample(audio.mean(axis=1), rate, sample_rate).astype(np.float32)


def trim(audio: Sound, sample_rate: int) -> Float[np.ndarray, " kept"]:
    """Cut silence off both ends.

    Raises:
        ValueError: If nothing is heard, or less than `SHORTEST` is left.
    """
    size = np.abs(audio)
    peak = size.max(initial=0)
    if peak < SILENCE_PEAK:
        raise ValueError(f"is silent: its peak is {peak:.2g}, expected at least {SILENCE_PEAK:g}")
    loud = np.flatnonzero(size >= QUIET * peak)
    kept = audio[loud[0] : loud[-1] + 1]
    if len(kept) < SHORTEST * sample_rate:
        raise ValueError(f"is too short: {len(kept) / sample_rate:.3f} s without silence, expected {SHORTEST} s")
    return kept


def pitch_of(audio: Sound, sample_rate: int) -> float | None:
    """Estimate the pitch of a sound: the median over its loud frames that have one, in fractions of a MIDI note.

    pYIN says which frames have a pitch and about where it is, YIN where it is within some cents. Frames 20 dB softer than
    the loudest are left out, as recordings hum at 50 or 60 Hz.

    Returns:
        The pitch, or None if less than half of the loud frames have one.
    """
    given: dict[str, Any] = {
        "fmin": LOWEST,
        "fmax": HIGHEST,
        "sr": sample_rate,
        "frame_length": FRAME,
        "hop_length": HOP,
    }
    rough, voiced, probability = librosa.pyin(audio, resolution=GRID, **given)
    fine = librosa.yin(audio, **given)
    level = librosa.feature.rms(y=audio, frame_length=FRAME, hop_length=HOP)[0]
    loud = level >= LOUD * level.max()
    sure = loud & voiced & (probability >= SURE)
    agreed = sure & (np.abs(12 * np.log2(fine / np.where(voiced, rough, fine))) < 0.5)
    if sure.sum() < VOICED * loud.sum() or not agreed.any():
        return None
    return float(np.median(librosa.hz_to_midi(fine[agreed])))


def fit(audio: Sound, length: int, sample_rate: int, cut: bool) -> Float[np.ndarray, " length"]:
    """Fade a sound out and fill it up with zeros.

    Args:
        audio: At most `length` long.
        length: In samples, wanted.
        sample_rate: Hz.
        cut: Whether it goes on where it ends.
    """
    fade = min(round((FADE if cut else EDGE) * sample_rate), len(audio))
    faded = audio.copy()
    faded[len(audio) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return np.pad(faded, (0, length - len(audio)))


def level_of(audio: Sound, sample_rate: int) -> float:
    """Root mean square of the loudest 0.4 s."""
    step = round(STEP * sample_rate)
    power = np.square(audio[: len(audio) // step * step].reshape(-1, step), dtype=np.float64).mean(axis=1)
    return float(np.sqrt(np.convolve(power, np.full(STEPS, 1 / STEPS), "valid").max()))


def prepare(audio: Sound, note: Note, level: float, known: float | None = None) -> Prepared:
    """Make a sound fit a data set, by the rules above.

    Args:
        audio: At the rate of the note.
        note: Of the data set.
        level: That of the median training sound, by `level_of`.
        known: The pitch, where it need not be estimated.

    Raises:
        ValueError: If it is silent or too short.
    """
    rate, told = note.sample_rate, []
    heard = trim(audio, rate)
    cut = len(heard) > note.samples
    kept = heard[: note.samples]
    pitch = pitch_of(kept, rate) if known is None else known
    shift = 0.0 if pitch is None else note.pitch - pitch
    if pitch is None:
        told.append("no clear pitch, not shifted")
    elif shift:
        kept = librosa.effects.pitch_shift(kept, sr=rate, n_steps=shift).astype(np.float32)
    if cut:
        told.append(f"cut from {len(heard) / rate:.2f} s")
    fitted = fit(kept, note.samples, rate, cut)
    gain, most = level / level_of(fitted, rate), 1 / float(np.abs(fitted).max())
    if gain > most:
        told.append("softer than the rule, for its peak")
    gain = min(gain, most)
    return Prepared(fitted * np.float32(gain), pitch, shift, float(20 * np.log10(gain)), "; ".join(told))
