"""Preprocessing of out-of-domain sounds: match sample rate, length, pitch and level of a data set.

The steps, in order:

1. Read at most the first minute, average the channels, and resample (soxr). Channels that cancel are not averaged: the
   loudest is used.
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

import getpass
import math
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import scipy.signal
import soxr
from jaxtyping import Float

from flowsynth.core.locks import lock
from flowsynth.core.sound_files import SoundFileError, read_sound_file
from flowsynth.rendering.host import Note
from flowsynth.rendering.worker import SILENCE_PEAK

Sound = Float[np.ndarray, " samples"]

MAX_READ = 60.0  # s read from a file
MIN_DURATION = 0.1  # s, after trimming
MIN_MIX = 0.1  # power of the average relative to that of uncorrelated channels, below which they cancel
OFFSET_WINDOW = 0.05  # s, a period of the lowest audible frequency
MIN_OFFSET = 0.01  # of the peak, above which an offset is removed: the level of silence
LOWEST_AUDIBLE = 20.0  # Hz
MAX_SUB_AUDIO, MIN_AUDIO = 0.5, 1e-3  # shares of power: below 20 Hz, above which it is removed; above 20 Hz
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


@dataclass(frozen=True)
class LoadedSound:
    """A sound file, mono, at the sample rate of a data set.

    Attributes:
        audio: Float32, with full scale 1.
        remarks: How the file was changed, and what could not be checked.
    """

    audio: Sound
    remarks: tuple[str, ...]


def load(path: Path, sample_rate: int, repair: bool = False) -> LoadedSound:
    """Read a sound file in any format of libsndfile, as mono at a sample rate.

    Args:
        path: Sound file.
        sample_rate: Hz.
        repair: Whether to remove an offset, and frequencies below 20 Hz if they have most of the power.

    Raises:
        SoundFileError: As by `flowsynth.core.sound_files.read_sound_file`, or if the sound is inaudibly low.
    """
    file = read_sound_file(path, MAX_READ)
    remarks = list(file.remarks)
    if file.duration > MAX_READ:
        whole = f" of {file.duration:.2f} s" if math.isfinite(file.duration) else ""
        remarks.append(f"first {MAX_READ:g} s{whole} used")
    audio, remark = mix(file.samples)
    remarks += [remark] if remark else []
    if repair:
        audio, offset = remove_offset(audio, file.sample_rate)
        remarks += [f"offset of {offset:.3g} removed"] if offset else []
    share = measure_sub_audio(audio, file.sample_rate)
    if share > 1 - MIN_AUDIO:
        raise SoundFileError(path, f"has only frequencies below {LOWEST_AUDIBLE:g} Hz: choose another sound")
    if repair and share > MAX_SUB_AUDIO:
        audio = remove_sub_audio(audio, file.sample_rate)
        remarks.append(f"frequencies below {LOWEST_AUDIBLE:g} Hz removed, {share:.0%} of the power")
    if file.sample_rate != sample_rate:
        remarks.append(f"resampled from {file.sample_rate} Hz")
    return LoadedSound(soxr.resample(audio, file.sample_rate, sample_rate).astype(np.float32), tuple(remarks))


def mix(samples: Float[np.ndarray, "frames channels"]) -> tuple[Float[np.ndarray, " frames"], str]:
    """Average channels, unless they cancel, as two of opposite phase do: then select the loudest.

    Returns:
        The mono sound and a remark; the remark is empty for one channel.
    """
    mixed, channels = samples.mean(axis=1), samples.shape[1]
    if channels == 1:
        return mixed, ""
    power = samples.var(axis=0, dtype=np.float64)
    if channels**2 * mixed.var(dtype=np.float64) >= MIN_MIX * power.sum():
        return mixed, f"{channels} channels averaged"
    loudest = int(power.argmax())
    return samples[:, loudest].copy(), f"channels cancel, {loudest + 1} of {channels} used"


def remove_offset(audio: Sound, sample_rate: int) -> tuple[Sound, float]:
    """Remove a steady offset: one that the mean over each 50 ms has, with at least `MIN_OFFSET` of the peak.

    It is measured and removed between the silence at both ends, where a noise gate may have removed it.

    Returns:
        The sound and its offset, which is 0 if it is not removed.
    """
    loud = np.flatnonzero(np.abs(audio) >= TRIM_LEVEL * np.abs(audio).max())
    inside = slice(loud[0], loud[-1] + 1)
    step = round(OFFSET_WINDOW * sample_rate)
    means = audio[inside][: (loud[-1] + 1 - loud[0]) // step * step].reshape(-1, step).mean(axis=1, dtype=np.float64)
    if len(means) == 0 or max(means.min(), -means.max()) < MIN_OFFSET * np.abs(audio).max():
        return audio, 0.0
    offset = float(audio[inside].mean(dtype=np.float64))
    repaired = audio.copy()
    repaired[inside] -= np.float32(offset)
    return repaired, offset


def measure_sub_audio(audio: Sound, sample_rate: int) -> float:
    """Measure the share of power below 20 Hz; 0 for silence and for sounds shorter than `MIN_DURATION`."""
    if len(audio) < MIN_DURATION * sample_rate:
        return 0.0
    segment = min(len(audio), sample_rate)
    frequencies, power = scipy.signal.welch(audio.astype(np.float64), sample_rate, nperseg=segment, detrend=False)
    return float(power[frequencies < LOWEST_AUDIBLE].sum() / (power.sum() or 1))


def remove_sub_audio(audio: Sound, sample_rate: int) -> Sound:
    """Remove frequencies below 20 Hz, without a change of phase."""
    sos = scipy.signal.butter(6, LOWEST_AUDIBLE, "highpass", fs=sample_rate, output="sos")
    padding = min(len(audio) - 1, round(10 / LOWEST_AUDIBLE * sample_rate))
    return scipy.signal.sosfiltfilt(sos, audio.astype(np.float64), padlen=padding).astype(np.float32)


def trim(audio: Sound, sample_rate: int) -> Float[np.ndarray, " trimmed"]:
    """Trim silence at both ends.

    Raises:
        ValueError: If the sound is silent, or shorter than `MIN_DURATION` after trimming.
    """
    magnitude = np.abs(audio)
    peak = magnitude.max(initial=0)
    if peak < SILENCE_PEAK:
        raise ValueError(f"is silent: its peak is {peak:.2g}, expected at least {SILENCE_PEAK:g}: choose a louder one")
    loud = np.flatnonzero(magnitude >= TRIM_LEVEL * peak)
    trimmed = audio[loud[0] : loud[-1] + 1]
    if len(trimmed) < MIN_DURATION * sample_rate:
        duration = len(trimmed) / sample_rate
        raise ValueError(
            f"is too short: {duration:.3f} s without silence, expected {MIN_DURATION} s: choose a longer one"
        )
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
    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()  # in containers, users may have no name
    with (Path(tempfile.gettempdir()) / f"flowsynth-pitch-{user}.lock").open("w", encoding="utf-8") as file:
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


def prepare(
    audio: Sound, note: Note, level: float, known: float | None = None, remarks: Sequence[str] = ()
) -> PreparedSound:
    """Apply the steps above, except reading, to a sound.

    Args:
        audio: Mono sound at the sample rate of the note.
        note: The note of the data set.
        level: Level of the median training sound, by `measure_level`.
        known: Pitch as a MIDI note, if known; otherwise it is estimated.
        remarks: Remarks on reading, with which the note begins.

    Raises:
        ValueError: If the sound is silent or too short.
    """
    rate, remarks = note.sample_rate, list(remarks)
    try:
        trimmed = trim(audio, rate)
    except ValueError as error:
        raise ValueError(" ".join([str(error), *(f"({remark})" for remark in remarks)])) from error
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


def prepare_file(path: Path, note: Note, level: float) -> PreparedSound:
    """Apply all steps above to a sound file, after repairing it; see `load`.

    Args:
        path: Sound file.
        note: The note of the data set.
        level: Level of the median training sound, by `measure_level`.

    Raises:
        SoundFileError: If it can't be read, is silent, too short or inaudibly low.
    """
    sound = load(path, note.sample_rate, repair=True)
    try:
        return prepare(sound.audio, note, level, remarks=sound.remarks)
    except ValueError as error:
        raise SoundFileError(path, str(error)) from error
