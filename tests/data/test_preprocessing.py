"""Sounds of any kind come out at the rate, length, pitch and level of the data set, or are refused with a reason."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

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


def frequency_of(audio: np.ndarray, near: float) -> float:
    """The strongest frequency within two semitones, by a long spectrum with parabolic interpolation."""
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
def test_rates_channels_and_depths_are_made_the_same(
    tmp_path: Path, rate: int, channels: int, subtype: str, suffix: str
):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, np.stack([tone(440, 1, rate)] * channels, axis=1), rate, subtype=subtype)
    audio = preprocessing.load(path, RATE)
    assert audio.dtype == np.float32
    assert audio.shape == (RATE,)
    inside = slice(RATE // 4, RATE // 2)
    assert np.abs(audio[inside] - tone(440, 1)[inside]).max() < 0.01


def test_channels_are_averaged(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", np.stack([noise(1), -noise(1)], axis=1), RATE, subtype="FLOAT")
    assert np.abs(preprocessing.load(tmp_path / "a.wav", RATE)).max() < 1e-6


def test_of_a_long_file_the_first_minute_is_read(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", np.zeros(70 * 8000), 8000)
    assert len(preprocessing.load(tmp_path / "a.wav", 8000)) == 60 * 8000


def test_bad_files_are_refused(tmp_path: Path):
    (tmp_path / "text.wav").write_text("this is no sound")
    soundfile.write(tmp_path / "whole.flac", noise(1), RATE)
    (tmp_path / "cut.flac").write_bytes((tmp_path / "whole.flac").read_bytes()[:30])
    (tmp_path / "nothing.wav").write_bytes(b"")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), RATE)
    soundfile.write(tmp_path / "nan.wav", np.full(RATE, np.nan), RATE, subtype="FLOAT")
    for name, reason in {
        "text.wav": "can't be read",
        "cut.flac": "can't be read",
        "nothing.wav": "can't be read",
        "absent.wav": "is not there",
        "empty.wav": "has no samples",
        "nan.wav": "not finite",
    }.items():
        with pytest.raises(ValueError, match=reason):
            preprocessing.load(tmp_path / name, RATE)


def test_silence_at_both_ends_is_cut_off_and_nothing_else():
    heard = tone(300, 0.5)
    hiss = noise(0.3) / np.abs(noise(0.3)).max() * 0.004  # 42 dB below the peak
    kept = preprocessing.trim(np.concatenate([hiss, heard, np.zeros(5000, np.float32), heard, hiss]), RATE)
    assert abs(len(kept) - (2 * len(heard) + 5000)) <= 20
    assert np.abs(kept).max() == np.abs(heard).max()


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (np.zeros(RATE, np.float32), "is silent: its peak is 0"),
        (noise(1) / 1000, "is silent"),
        (np.concatenate([np.zeros(RATE, np.float32), tone(440, 0.05)]), "is too short: 0.050 s"),
        (np.zeros(0, np.float32), "is silent"),
    ],
)
def test_what_can_not_be_heard_is_refused(audio: np.ndarray, reason: str):
    with pytest.raises(ValueError, match=reason):
        preprocessing.prepare(audio, NOTE, LEVEL)


@pytest.mark.parametrize("frequency", [440.0, 98.0, 311.0, 700.0])
def test_a_tone_comes_out_at_the_note_within_some_cents(frequency: float):
    made = preprocessing.prepare(tone(frequency, 1.5), NOTE, LEVEL)
    pitch = 69 + 12 * np.log2(frequency / 440)
    assert made.pitch is not None
    assert abs(made.pitch - pitch) < 0.05
    assert made.shift == 60 - made.pitch
    wanted = 440 * 2 ** ((60 - 69) / 12)
    found = frequency_of(made.audio[: round(1.4 * RATE)], wanted)
    assert abs(1200 * np.log2(found / wanted)) < 6


def test_the_pitch_is_that_of_the_loud_part_and_not_of_the_hum_of_the_recording():
    hum = tone(50, 3, peak=0.02)
    hum[RATE : RATE + RATE // 2] += tone(330, 0.5)
    pitch = preprocessing.pitch_of(hum, RATE)
    assert pitch is not None
    assert abs(pitch - float(librosa.hz_to_midi(330))) < 0.1


def test_noise_has_no_pitch_and_stays_as_it_is():
    heard = noise(1)
    made = preprocessing.prepare(heard, NOTE, LEVEL)
    assert (made.pitch, made.shift) == (None, 0)
    assert "no clear pitch" in made.note
    trimmed = preprocessing.trim(heard, RATE)
    middle = slice(100, len(trimmed) - 1000)
    assert np.allclose(made.audio[middle], trimmed[middle] * 10 ** (made.gain / 20), rtol=1e-5)


def test_a_known_pitch_is_believed():
    made = preprocessing.prepare(tone(440, 1), NOTE, LEVEL, known=60)
    assert (made.pitch, made.shift) == (60, 0)
    assert frequency_of(made.audio[:RATE], 440) == pytest.approx(440, rel=1e-3)


def test_a_short_sound_is_filled_up_with_zeros():
    made = preprocessing.prepare(tone(440, 1), NOTE, LEVEL, known=60)
    assert made.audio.shape == (NOTE.samples,)
    assert not made.audio[RATE + 10 :].any()
    assert np.abs(made.audio[RATE - 500 : RATE - 230]).max() > 0.9 * np.abs(made.audio).max()  # faded over 10 ms only


def test_a_long_sound_is_cut_and_fades_out_over_a_second():
    made = preprocessing.prepare(tone(440, 6), NOTE, LEVEL, known=60)
    peaks = np.abs(made.audio.reshape(40, -1)).max(axis=1) / np.abs(made.audio).max()
    assert (peaks[:30] > 0.99).all()
    assert np.allclose(peaks[30:], np.arange(10, 0, -1) / 10, atol=0.05)
    assert made.audio[-1] == 0
    assert "cut from 6.00 s" in made.note


@pytest.mark.parametrize("peak", [0.01, 0.9])
def test_the_loudest_part_is_as_loud_as_asked_for(peak: float):
    heard = np.concatenate([tone(440, 1, peak=peak / 10), tone(440, 1, peak=peak)])
    made = preprocessing.prepare(heard, NOTE, LEVEL, known=60)
    assert preprocessing.level_of(made.audio, RATE) == pytest.approx(LEVEL, rel=1e-3)
    assert np.sqrt(np.mean(made.audio[-round(0.05 * RATE) + 2 * RATE - 500 : 2 * RATE - 500] ** 2)) == pytest.approx(
        LEVEL, rel=0.05
    )


def test_no_peak_passes_full_scale():
    click = np.zeros(RATE, np.float32)
    click[:5000] = noise(5000 / RATE) * np.linspace(1, 0, 5000) ** 8
    made = preprocessing.prepare(click, NOTE, 0.5, known=60)
    assert np.abs(made.audio).max() == pytest.approx(1, rel=1e-5)
    assert "softer than the rule" in made.note


def test_the_same_sound_is_the_same_to_the_bit():
    first, second = (preprocessing.prepare(tone(200, 1), NOTE, LEVEL) for _ in range(2))
    assert first.audio.tobytes() == second.audio.tobytes()
