"""Preprocessed sounds have the rate, length, pitch and level of the data set; unusable ones raise with a reason."""

import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from waiting import DEADLINE, wait_until

from flowsynth.data.out_of_domain import preprocessing
from flowsynth.rendering.host import Note

RATE = 22050
NOTE = Note(RATE, 512, 60, 100, 3.0, 4.0)
LEVEL = 0.15


def tone(frequency: float, seconds: float, rate: int = RATE, peak: float = 0.5) -> np.ndarray:
    """Four harmonics."""
    time = np.arange(round(seconds * rate)) / rate
    wave = sum(np.sin(2 * np.pi * k * frequency * time) / k for k in range(1, 5))
    return (peak * wave / np.abs(wave).max()).astype(np.float32)


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=0.1, size=round(seconds * RATE)).astype(np.float32)


def dominant_frequency(audio: np.ndarray, near: float) -> float:
    """Strongest frequency within two semitones, from a long spectrum with parabolic interpolation."""
    size = 2**20
    spectrum = np.log(np.abs(np.fft.rfft(audio * np.hanning(len(audio)), size)) + 1e-12)
    low, high = (int(near * ratio * size / RATE) for ratio in (0.89, 1.12))
    top = low + int(spectrum[low:high].argmax())
    left, middle, right = spectrum[top - 1 : top + 2]
    return (top + (left - right) / (2 * (left - 2 * middle + right))) * RATE / size


@pytest.mark.parametrize(
    ("rate", "channels", "subtype", "suffix"),
    [(22050, 1, "PCM_16", "wav"), (44100, 2, "PCM_24", "wav"), (48000, 1, "FLOAT", "wav"), (8000, 3, "PCM_16", "flac")],
)
def test_load_converts_rates_channels_and_bit_depths(
    tmp_path: Path, rate: int, channels: int, subtype: str, suffix: str
):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, np.stack([tone(440, 1, rate)] * channels, axis=1), rate, subtype=subtype)
    audio = preprocessing.load(path, RATE).audio
    assert audio.dtype == np.float32
    assert audio.shape == (RATE,)
    inside = slice(RATE // 4, RATE // 2)
    assert np.abs(audio[inside] - tone(440, 1)[inside]).max() < 0.01


def test_trim_removes_silence_at_both_ends_only():
    sound = tone(300, 0.5)
    hiss = noise(0.3) / np.abs(noise(0.3)).max() * 0.004  # 42 dB below the peak
    trimmed = preprocessing.trim(np.concatenate([hiss, sound, np.zeros(5000, np.float32), sound, hiss]), RATE)
    assert abs(len(trimmed) - (2 * len(sound) + 5000)) <= 20
    assert np.abs(trimmed).max() == np.abs(sound).max()


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (np.zeros(RATE, np.float32), "is silent: its peak is 0"),
        (noise(1) / 1000, "is silent"),
        (np.concatenate([np.zeros(RATE, np.float32), tone(440, 0.05)]), "is too short: 0.050 s"),
        (np.zeros(0, np.float32), "is silent"),
    ],
)
def test_silent_and_short_sounds_raise(audio: np.ndarray, reason: str):
    with pytest.raises(ValueError, match=reason):
        preprocessing.prepare(audio, NOTE, LEVEL)


@pytest.mark.parametrize("frequency", [440.0, 98.0, 311.0, 700.0])
def test_tone_is_shifted_to_the_note_within_six_cents(frequency: float):
    prepared = preprocessing.prepare(tone(frequency, 1.5), NOTE, LEVEL)
    pitch = 69 + 12 * np.log2(frequency / 440)
    assert prepared.pitch is not None
    assert abs(prepared.pitch - pitch) < 0.05
    assert prepared.shift == 60 - prepared.pitch
    target = 440 * 2 ** ((60 - 69) / 12)
    actual = dominant_frequency(prepared.audio[: round(1.4 * RATE)], target)
    assert abs(1200 * np.log2(actual / target)) < 6


def test_pitch_ignores_quiet_mains_hum():
    hum = tone(50, 3, peak=0.02)
    hum[RATE : RATE + RATE // 2] += tone(330, 0.5)
    pitch = preprocessing.estimate_pitch(hum, RATE)
    assert pitch is not None
    assert abs(pitch - float(librosa.hz_to_midi(330))) < 0.1


def test_noise_has_no_pitch_and_is_not_shifted():
    sound = noise(1)
    prepared = preprocessing.prepare(sound, NOTE, LEVEL)
    assert (prepared.pitch, prepared.shift) == (None, 0)
    assert "no clear pitch" in prepared.note
    trimmed = preprocessing.trim(sound, RATE)
    middle = slice(100, len(trimmed) - 1000)
    assert np.allclose(prepared.audio[middle], trimmed[middle] * 10 ** (prepared.gain / 20), rtol=1e-5)


def test_known_pitch_is_used():
    prepared = preprocessing.prepare(tone(440, 1), NOTE, LEVEL, known=60)
    assert (prepared.pitch, prepared.shift) == (60, 0)
    assert dominant_frequency(prepared.audio[:RATE], 440) == pytest.approx(440, rel=1e-3)


def test_short_sound_is_padded_with_zeros():
    prepared = preprocessing.prepare(tone(440, 1), NOTE, LEVEL, known=60)
    assert prepared.audio.shape == (NOTE.samples,)
    assert not prepared.audio[RATE + 10 :].any()
    assert (
        np.abs(prepared.audio[RATE - 500 : RATE - 230]).max() > 0.9 * np.abs(prepared.audio).max()
    )  # a fade of 10 ms only


def test_long_sound_is_truncated_with_a_fade_of_one_second():
    prepared = preprocessing.prepare(tone(440, 6), NOTE, LEVEL, known=60)
    peaks = np.abs(prepared.audio.reshape(40, -1)).max(axis=1) / np.abs(prepared.audio).max()
    assert (peaks[:30] > 0.99).all()
    assert np.allclose(peaks[30:], np.arange(10, 0, -1) / 10, atol=0.05)
    assert prepared.audio[-1] == 0
    assert "cut from 6.00 s" in prepared.note


@pytest.mark.parametrize("peak", [0.01, 0.9])
def test_loudest_part_has_the_target_level(peak: float):
    sound = np.concatenate([tone(440, 1, peak=peak / 10), tone(440, 1, peak=peak)])
    prepared = preprocessing.prepare(sound, NOTE, LEVEL, known=60)
    assert preprocessing.measure_level(prepared.audio, RATE) == pytest.approx(LEVEL, rel=1e-3)
    assert np.sqrt(
        np.mean(prepared.audio[-round(0.05 * RATE) + 2 * RATE - 500 : 2 * RATE - 500] ** 2)
    ) == pytest.approx(LEVEL, rel=0.05)


def test_peak_is_limited_to_full_scale():
    click = np.zeros(RATE, np.float32)
    click[:5000] = noise(5000 / RATE) * np.linspace(1, 0, 5000) ** 8
    prepared = preprocessing.prepare(click, NOTE, 0.5, known=60)
    assert np.abs(prepared.audio).max() == pytest.approx(1, rel=1e-5)
    assert "limited by its peak" in prepared.note


def test_prepare_is_reproducible_bit_by_bit():
    first, second = (preprocessing.prepare(tone(200, 1), NOTE, LEVEL) for _ in range(2))
    assert first.audio.tobytes() == second.audio.tobytes()


def test_estimators_are_compiled_by_one_process_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(preprocessing.tempfile, "gettempdir", lambda: str(tmp_path))
    preprocessing.compile_estimators.cache_clear()
    preprocessing.compile_estimators()
    (path,) = tmp_path.iterdir()
    preprocessing.compile_estimators.cache_clear()
    with path.open() as file, ThreadPoolExecutor() as pool:
        fcntl.flock(file, fcntl.LOCK_EX)
        compilation = pool.submit(preprocessing.compile_estimators)
        waiting = f"-> FLOCK  ADVISORY  WRITE {os.getpid()} "
        wait_until(
            lambda: waiting in Path("/proc/locks").read_text(encoding="utf-8"), "the compilation waits for the lock"
        )
        assert not compilation.done()
        fcntl.flock(file, fcntl.LOCK_UN)
        compilation.result(DEADLINE)
