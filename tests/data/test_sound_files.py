"""Odd sound files are read right, or refused by name; tests/errors/sounds.py has a case for each reason of refusal."""

import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_preprocessing import LEVEL, NOTE, RATE, tone

from flowsynth.apps.match import find_sounds
from flowsynth.core.sound_files import SoundFileError
from flowsynth.data.out_of_domain import preprocessing
from flowsynth.metrics import evaluate

Writer = Callable[[Path], object]
pytestmark = pytest.mark.timeout(120)  # a pipe must not be waited for
TONE = tone(220, 1)
UNCHECKED = "whether the file is complete can't be checked"


def encoded(form: str, subtype: str, rate: int = RATE) -> Writer:
    return lambda path: soundfile.write(path, tone(220, 1, rate), rate, format=form, subtype=subtype)


def samples(audio: np.ndarray, rate: int = RATE) -> Writer:
    return lambda path: soundfile.write(path, audio, rate, format="WAV", subtype="FLOAT")


def edited(edit: Callable[[bytes], bytes], form: str = "WAV", subtype: str = "PCM_16", seconds: float = 1) -> Writer:
    def write(path: Path) -> None:
        soundfile.write(path, tone(220, seconds), RATE, format=form, subtype=subtype)
        path.write_bytes(edit(path.read_bytes()))

    return write


def data_size(size: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:40] + struct.pack("<I", size) + content[44:]


def flac_frames(count: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:21] + ((content[21] & 0xF0) << 32 | count).to_bytes(5, "big") + content[26:]


def unmarked(content: bytes) -> bytes:
    """Clear the flag of the last page of an Ogg file, and update the page's checksum."""
    start = content.rfind(b"OggS")
    page = content[start : start + 5] + b"\0" + content[start + 6 : start + 22] + bytes(4) + content[start + 26 :]
    checksum = 0
    for byte in page:
        checksum ^= byte << 24
        for _ in range(8):
            checksum = (checksum << 1) ^ (0x104C11DB7 if checksum >> 31 else 0)
    return content[:start] + page[:22] + struct.pack("<I", checksum) + page[26:]


def cut(share: float) -> Callable[[bytes], bytes]:
    return lambda content: content[: round(share * len(content))]


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.wav", TONE.tobytes())


def linked(path: Path) -> None:
    samples(TONE)(path.with_name("target"))
    path.symlink_to("target")


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)


RUMBLE = np.sin(2 * np.pi * 5 * np.arange(RATE) / RATE)
SIX = np.stack([TONE * gain for gain in (1, 1, 0.5, 0.5, 2, 1)], axis=1)
LIST = b"LIST" + struct.pack("<I", 5000) + b"INFO" + bytes(4996)

# file name: writer, largest error relative to the peak, remarks
RIGHT: dict[str, tuple[Writer, float, str]] = {
    "u8.wav": (encoded("WAV", "PCM_U8"), 0.02, ""),
    "s16.wav": (encoded("WAV", "PCM_16"), 1e-4, ""),
    "s24.wav": (encoded("WAV", "PCM_24"), 1e-6, ""),
    "s32.wav": (encoded("WAV", "PCM_32"), 1e-6, ""),
    "f32.wav": (encoded("WAV", "FLOAT"), 0, ""),
    "f64.wav": (encoded("WAV", "DOUBLE"), 0, ""),
    "a_law.wav": (encoded("WAV", "ALAW"), 0.04, ""),
    "mu_law.wav": (encoded("WAV", "ULAW"), 0.04, ""),
    "adpcm.wav": (encoded("WAV", "IMA_ADPCM"), 0.04, ""),
    "extensible.wav": (encoded("WAVEX", "PCM_16"), 1e-4, ""),
    "big.rf64": (encoded("RF64", "PCM_16"), 1e-4, ""),
    "big.w64": (encoded("W64", "PCM_16"), 1e-4, ""),
    "apple.aiff": (encoded("AIFF", "PCM_16"), 1e-4, ""),
    "apple.caf": (encoded("CAF", "PCM_16"), 1e-4, ""),
    "lossless.caf": (encoded("CAF", "ALAC_16"), 1e-4, ""),
    "unix.au": (encoded("AU", "PCM_16"), 1e-4, UNCHECKED),
    "a.flac": (encoded("FLAC", "PCM_16"), 1e-4, ""),
    "a.ogg": (encoded("OGG", "VORBIS"), 0.1, ""),
    "a.opus": (encoded("OGG", "OPUS", 48000), 0.15, "resampled from 48000 Hz"),
    "a.mp3": (encoded("MP3", "MPEG_LAYER_III"), 0.1, ""),
    "2k.wav": (encoded("WAV", "FLOAT", 2000), 0.02, "resampled from 2000 Hz"),
    "8k.wav": (encoded("WAV", "FLOAT", 8000), 0.01, "resampled from 8000 Hz"),
    "odd.wav": (encoded("WAV", "FLOAT", 44101), 0.01, "resampled from 44101 Hz"),
    "192k.wav": (encoded("WAV", "FLOAT", 192000), 0.01, "resampled from 192000 Hz"),
    "loud.wav": (samples(1e4 * TONE), 0, ""),
    "clipped.wav": (samples(np.clip(4 * TONE, -1, 1)), 0.5, ""),
    "six.wav": (samples(SIX), 1e-6, "6 channels averaged"),
    "one_side.wav": (samples(np.stack([0 * TONE, TONE], axis=1)), 1e-6, "2 channels averaged"),
    "opposite.wav": (samples(np.stack([TONE, -1.01 * TONE], axis=1)), 1e-6, "channels cancel, 2 of 2 used"),
    "opposite_offset.wav": (
        samples(np.stack([1.01 * TONE + 1, -TONE + 1], axis=1)),
        1e-5,
        "1 of 2 used; offset of 1 removed",
    ),
    "offset.wav": (samples(TONE + 0.3), 1e-5, "offset of 0.3 removed"),
    "small_offset.wav": (samples(TONE + 0.01), 1e-5, "offset of 0.01 removed"),
    "rumble.wav": (samples(0.2 * TONE + RUMBLE), 0.02, "frequencies below 20 Hz removed, 99% of the power"),
    "ten_minutes.wav": (
        lambda path: soundfile.write(path, np.tile(tone(220, 1, 8000), 600), 8000, format="WAV"),
        0.01,
        "first 60 s of 600.00 s used; resampled from 8000 Hz",
    ),
    "piped.wav": (edited(data_size(2**32 - 1)), 1e-4, UNCHECKED),
    "sox.wav": (edited(data_size(0x7FFFF000)), 1e-4, UNCHECKED),
    "end_not_marked.ogg": (edited(unmarked, "OGG", "VORBIS"), 0.1, UNCHECKED),
    "piped.flac": (edited(flac_frames(0), "FLAC"), 1e-4, UNCHECKED),
    "wrong_total.wav": (edited(lambda content: content[:4] + bytes(4) + content[8:]), 1e-4, ""),
    "tagged.wav": (edited(lambda content: content + LIST), 1e-4, ""),
    "named.raw": (samples(TONE), 0, ""),
    "no_suffix": (samples(TONE), 0, ""),
    "line\nbreak.wav": (samples(TONE), 0, ""),
    os.fsdecode(b"\xfc.wav"): (samples(TONE), 0, ""),
    "link.wav": (linked, 0, ""),
}


@pytest.mark.parametrize("name", RIGHT, ids=ascii)
def test_odd_file_is_read_right(name: str, tmp_path: Path):
    write, error, remark = RIGHT[name]
    write(tmp_path / "written")
    (tmp_path / "written").rename(tmp_path / name)
    sound = preprocessing.load(tmp_path / name, RATE, repair=True)
    assert remark in "; ".join(sound.remarks)
    assert remark or not sound.remarks
    assert len(sound.audio) <= 60 * RATE
    inside = slice(RATE // 4, RATE * 3 // 4)
    audio = sound.audio[inside] / np.abs(sound.audio[inside]).max()
    expected = TONE[inside] / np.abs(TONE[inside]).max()
    scale = audio @ expected / (expected @ expected)
    assert abs(scale) > 0.9 if error else scale == pytest.approx(1)
    assert np.abs(audio - scale * expected).max() <= max(error, 1e-7)


# file name: writer, part of the reason
REFUSED: dict[str, tuple[Writer, str]] = {
    "nothing.wav": (Path.touch, "can't be read"),
    "text.wav": (lambda path: path.write_text("not a sound\n" * 1000), "can't be read"),
    "text.au": (lambda path: path.write_text("not a sound\n" * 1000), "can't be read"),
    "zip.wav": (zipped, "can't be read"),
    "sparse.wav": (sparse, "can't be read"),
    "one_sample.wav": (samples(TONE[1:2]), "is too short"),
    "not_closed.wav": (edited(data_size(0)), "is longer than its header states (0 bytes"),
    "huge.wav": (edited(data_size(0x70000000)), "is cut off"),
    "inf.wav": (samples(np.append(TONE, -np.inf)), "(inf, full scale is 1)"),
    "infinite_double.wav": (
        lambda path: soundfile.write(path, 1e300 * np.append(TONE, 0.5), RATE, subtype="DOUBLE"),
        "(inf, full scale is 1)",
    ),
    "long" * 80 + ".wav": (lambda path: None, "can't be opened"),
    "in/nothing/a.wav": (lambda path: None, "is not there"),
    "almost.wav": (edited(cut(0.99)), "is cut off"),
    "cut.rf64": (edited(cut(0.5), "RF64"), "is cut off"),
    "cut.w64": (edited(cut(0.5), "W64"), "is cut off"),
    "cut.aiff": (edited(cut(0.5), "AIFF"), "is cut off"),
    "cut.caf": (edited(cut(0.5), "CAF"), "can't be read"),
    "cut_within_a_frame.flac": (edited(cut(0.5), "FLAC"), "can't be read"),
    "cut.mp3": (edited(cut(0.5), "MP3", "MPEG_LAYER_III"), "is cut off"),
    "cut.ogg": (edited(cut(0.7), "OGG", "VORBIS", 30), "is cut off"),
    "cut_after_a_minute.wav": (edited(cut(0.95), seconds=70), "is cut off"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_odd_file_is_refused_by_name(name: str, tmp_path: Path):
    write, reason = REFUSED[name]
    write(tmp_path / name)
    with pytest.raises(SoundFileError) as refusal:
        preprocessing.prepare_file(tmp_path / name, NOTE, LEVEL)
    assert reason in refusal.value.reason
    assert ": " in refusal.value.reason  # the remedy
    assert str(refusal.value) == f"{tmp_path / name} {refusal.value.reason}"


def test_flac_cut_between_frames_is_refused(tmp_path: Path):
    edited(flac_frames(RATE + 4096), "FLAC")(tmp_path / "a.flac")
    with pytest.raises(SoundFileError, match=r"is cut off or damaged \(1\.00 s of 1\.19 s can be read\): "):
        preprocessing.load(tmp_path / "a.flac", RATE)


def test_unreadable_file_is_refused(tmp_path: Path):
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    samples(TONE)(tmp_path / "a.wav")
    (tmp_path / "a.wav").chmod(0)
    with pytest.raises(SoundFileError, match=r"can't be opened \(Permission denied\): check the path"):
        preprocessing.load(tmp_path / "a.wav", RATE)


def test_names_are_printed_in_one_line(tmp_path: Path):
    with pytest.raises(SoundFileError) as refusal:
        preprocessing.load(tmp_path / os.fsdecode(b"a\n\xfc.wav"), RATE)
    assert str(refusal.value) == f"{tmp_path}/a\\n\\udcfc.wav is not there: check the path"


@pytest.mark.parametrize(
    "audio",
    [
        TONE + np.float32(0.3),
        0.2 * TONE + RUMBLE,
        np.stack([TONE, -TONE], axis=1),
        np.concatenate([np.zeros(RATE // 2), TONE, np.zeros(RATE // 2)]) - 0.3,
        np.concatenate([np.zeros(RATE // 2), TONE - np.float32(0.3), np.zeros(RATE // 2)]),
    ],
    ids=["offset", "rumble", "opposite channels", "silence with an offset", "offset of the sound only"],
)
def test_repaired_sound_is_matched_as_without_the_fault(audio: np.ndarray, tmp_path: Path):
    samples(audio)(tmp_path / "a.wav")
    prepared = preprocessing.prepare_file(tmp_path / "a.wav", NOTE, LEVEL)
    expected = preprocessing.prepare(TONE, NOTE, LEVEL)
    assert prepared.pitch == pytest.approx(57, abs=0.05)
    inside = slice(RATE // 10, RATE * 9 // 10)
    scale = np.abs(expected.audio).max()
    assert np.abs(prepared.audio[inside] - expected.audio[inside]).max() < 0.05 * scale


@pytest.mark.parametrize("offset", [0, 0.3])
def test_sound_of_a_collection_is_not_repaired(offset: float, tmp_path: Path):
    stereo = np.random.default_rng(0).normal(offset, 0.1, size=(RATE, 2)).astype(np.float32)
    samples(stereo)(tmp_path / "a.wav")
    assert preprocessing.load(tmp_path / "a.wav", RATE).audio.tobytes() == stereo.mean(axis=1).tobytes()
    repaired = preprocessing.load(tmp_path / "a.wav", RATE, repair=True).audio
    assert np.array_equal(repaired, stereo.mean(axis=1)) == (offset == 0)


@pytest.mark.parametrize("audio", [np.full(RATE, 0.3), RUMBLE], ids=["offset", "rumble"])
def test_inaudible_sound_of_a_collection_is_refused(audio: np.ndarray, tmp_path: Path):
    samples(audio)(tmp_path / "a.wav")
    with pytest.raises(SoundFileError, match="has only frequencies below 20 Hz"):
        preprocessing.load(tmp_path / "a.wav", RATE)


def test_folder_passes_over_no_sound(tmp_path: Path):
    names = ["a.OPUS", "b.wav", "c.m4a", "d.caf", "lost.wav"]
    for name in [*names[:-1], "text.txt"]:
        (tmp_path / name).touch()
    (tmp_path / "lost.wav").symlink_to("nowhere")
    (tmp_path / "folder.wav").mkdir()
    assert [path.name for path in find_sounds([tmp_path], Path("out"))] == names


def test_list_of_sounds_survives_bad_paths(tmp_path: Path):
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    paths = [tmp_path / "loop.wav", tmp_path / f"{'long' * 80}.wav"]
    assert find_sounds(paths, tmp_path / "out") == paths


def test_evaluation_refuses_a_part_of_a_file(tmp_path: Path):
    edited(cut(0.5))(tmp_path / "a.wav")
    with pytest.raises(SoundFileError, match=r"a\.wav is cut off"):
        evaluate(tmp_path / "a.wav", TONE)
