"""Collections are sampled by identity and reproducible; the manifest lists unusable sounds."""

import shutil
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import pytest
import soundfile
from programs import skip_or_fail
from test_preprocessing import LEVEL, NOTE, RATE, noise, tone

from flowsynth.config.settings import source_files
from flowsynth.core import debian, hdf5
from flowsynth.data.features import extract
from flowsynth.data.out_of_domain import collections, debian_licences, preprocessing, soundfont, synthetic_hums


def collect(folder: Path, config: dict[str, str], limit: int = 5, name: str = "mine", seed: int = 1) -> pd.DataFrame:
    collections.collect(name, config, NOTE, LEVEL, limit, seed, folder / f"{name}.h5", folder / f"{name}.csv")
    return pd.read_csv(folder / f"{name}.csv", keep_default_na=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two usable sounds, one of them in a subfolder, and three unusable ones."""
    path = tmp_path / "sounds"
    (path / "deep").mkdir(parents=True)
    soundfile.write(path / "tone.wav", tone(440, 1), RATE)
    soundfile.write(path / "deep" / "noise.FLAC", noise(1), RATE, format="FLAC")
    soundfile.write(path / "silent.wav", np.zeros(RATE), RATE)
    soundfile.write(path / "short.wav", tone(440, 0.05), RATE)
    (path / "broken.ogg").write_bytes(b"OggS and nothing else")
    (path / "notes.txt").write_text("not a sound")
    return path


def test_bad_files_are_listed_and_the_others_kept(folder: Path, tmp_path: Path):
    table = collect(tmp_path, {"kind": "folder", "path": str(folder)}).set_index("file")
    assert tuple(table.reset_index()[list(collections.MANIFEST_COLUMNS)].columns) == collections.MANIFEST_COLUMNS
    statuses = {"tone.wav": "ok", "deep/noise.FLAC": "ok"}
    statuses |= dict.fromkeys(["silent.wav", "short.wav", "broken.ogg"], "refused")
    assert table["status"].to_dict() == statuses
    assert "is silent" in table.loc["silent.wav", "note"]
    assert "too short" in table.loc["short.wav", "note"]
    assert "can't be read" in table.loc["broken.ogg", "note"]
    assert float(table.loc["tone.wav", "pitch"]) == pytest.approx(69, abs=0.05)
    assert float(table.loc["tone.wav", "shift"]) == pytest.approx(-9, abs=0.05)
    assert float(table.loc["tone.wav", "duration"]) == 1
    assert table.loc["deep/noise.FLAC", "pitch"] == ""
    assert set(table["licence"]) == {"not stated"}
    with hdf5.reading(tmp_path / "mine.h5") as file:
        assert hdf5.ids(file).tolist() == table.loc[table["status"] == "ok", "id"].tolist()
        assert file["audio"].shape == (2, NOTE.samples)
        assert file["values"].shape == (2, 0)
        assert hdf5.names(file) == ()
        assert all(
            preprocessing.measure_level(audio, RATE) == pytest.approx(LEVEL, rel=1e-3) for audio in file["audio"]
        )


def test_extract_works_on_a_collection(folder: Path, tmp_path: Path):
    collect(tmp_path, {"kind": "folder", "path": str(folder)})
    extract(tmp_path / "mine.h5", tmp_path / "features.h5", {"n_mels": 64, "frames": 80})
    with hdf5.reading(tmp_path / "features.h5") as file:
        assert file["mel"].shape == (2, 64, 80)
        assert file["values"].shape == (2, 0)


def test_collect_is_reproducible_byte_by_byte(folder: Path, tmp_path: Path):
    contents = []
    for name in ("first", "second"):
        collect(tmp_path / name, {"kind": "folder", "path": str(folder)})
        contents.append([path.read_bytes() for path in sorted((tmp_path / name).iterdir())])
    assert contents[0] == contents[1]


def test_sounds_are_sampled_by_identity(tmp_path: Path):
    path = tmp_path / "sounds"
    path.mkdir()
    for number in range(8):
        soundfile.write(path / f"{number}.wav", noise(0.2, number), RATE)
    config = {"kind": "folder", "path": str(path)}
    many, few = (collect(tmp_path / str(limit), config, limit)["file"].tolist() for limit in (8, 3))
    assert sorted(many) == [f"{number}.wav" for number in range(8)]
    assert few == many[:3]
    (path / many[1]).unlink()
    assert collect(tmp_path / "less", config, 3)["file"].tolist() == [many[0], many[2], many[3]]
    assert collect(tmp_path / "other", config, 7, seed=2)["file"].tolist() != [many[0], *many[2:]]


def test_folder_without_usable_sounds_raises_with_reasons(tmp_path: Path):
    (tmp_path / "a.wav").write_text("no")
    with pytest.raises(ValueError, match=r"(?s)out_of_domain\.mine.*a\.wav can't be read"):
        collect(tmp_path, {"kind": "folder", "path": str(tmp_path)})
    assert not (tmp_path / "mine.h5").exists()


def test_hums_glide_within_the_range_and_differ_by_seed(tmp_path: Path):
    table = collect(tmp_path, {"kind": "hums"}, limit=4)
    assert table["status"].tolist() == ["ok"] * 4
    assert pd.to_numeric(table["pitch"]).between(synthetic_hums.LOWEST - 1, synthetic_hums.HIGHEST + 1).all()
    first = synthetic_hums.hum(7, RATE)
    assert np.array_equal(first, synthetic_hums.hum(7, RATE))
    assert not np.array_equal(first[:1000], synthetic_hums.hum(8, RATE)[:1000])
    assert np.abs(first).max() == pytest.approx(0.5)
    third = len(first) // 3
    pitches = [preprocessing.estimate_pitch(part, RATE) for part in (first[:third], first[-third:])]
    assert None not in pitches
    assert abs(pitches[0] - pitches[1]) > 1


def test_median_level_of_the_selected_sounds(tmp_path: Path):
    levels = {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.9}
    for number, names in enumerate((["a", "d"], ["b", "c"])):
        with hdf5.writing(tmp_path / f"{number}.h5", names, np.zeros((2, 1)), ("x",), {"sample_rate": RATE}) as file:
            hdf5.add_items(file, "audio", (RATE,))[:] = [np.full(RATE, levels[name]) for name in names]
    paths = [tmp_path / "0.h5", tmp_path / "1.h5"]
    assert collections.median_level(paths, ["a", "b", "c"]) == pytest.approx(0.2)


def test_midi_file_contains_the_note():
    content = soundfont.midi_file(73, NOTE)
    assert content[:14] == b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 0x01, 0xF4])
    assert int.from_bytes(content[18:22], "big") == len(content) - 22
    assert content[22:29] == bytes([0, 0xC0, 73, 0, 0x90, 60, 100])
    assert content[29:34] == bytes([0x97, 0x38, 0x80, 60, 0])  # 3,000 ticks
    assert content[-5:] == bytes([0x87, 0x68, 0xFF, 0x2F, 0])  # 1,000 more


def test_rendering_of_an_instrument_is_reproducible():
    font = Path("/usr/share/sounds/sf2/TimGM6mb.sf2")
    if shutil.which("fluidsynth") is None or not font.exists():
        skip_or_fail("fluidsynth or timgm6mb-soundfont is not installed: sh envs/packages.sh")
    first, second = (soundfont.render_note(font, 73, NOTE) for _ in range(2))  # a flute
    assert np.array_equal(first, second)
    assert len(first) == NOTE.samples
    pitch = preprocessing.estimate_pitch(first, RATE)
    assert pitch is not None
    assert abs(pitch - 60) < 0.3
    assert np.abs(first[round(3.8 * RATE) :]).max() < 0.1 * np.abs(first).max()  # released after 3 s
    assert librosa.feature.rms(y=first[: 3 * RATE])[0].min() > 0


def test_invalid_soundfont_raises(tmp_path: Path):
    (tmp_path / "no.sf2").write_text("not a SoundFont")
    with pytest.raises(ValueError, match=r"no\.sf2"):
        soundfont.render_note(tmp_path / "no.sf2", 3, NOTE)


COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
License: not this one

Files: *
Copyright: 2016 A
License: MIT

Files: doc/*
License: GFDL

Files: src/drum.flac
 src/bass*.flac
Copyright: B
License: CC0
 To the extent possible

License: CC0
 Long text
"""


def test_licence_is_looked_up_by_file_name(tmp_path: Path):
    (tmp_path / "noises").mkdir()
    (tmp_path / "noises" / "copyright").write_text(COPYRIGHT)
    licences = [
        debian_licences.licence("noises", name, tmp_path) for name in ("drum.flac", "bass_1.flac", "flute.flac")
    ]
    assert licences == ["CC0", "CC0", "MIT"]
    assert debian_licences.licence("nothing", "drum.flac", tmp_path) == "unknown"
    assert debian.version("no-package-of-this-name") == "unknown"


def test_files_of_a_collection_skip_hidden_files(tmp_path: Path):
    for name in ("b.wav", "more/a.wav", ".hidden", "more/.DS_Store"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files = [str(tmp_path / "b.wav"), str(tmp_path / "more/a.wav")]
    assert source_files({"kind": "folder", "path": str(tmp_path)}) == files
    assert source_files({"kind": "soundfont", "path": str(tmp_path / "b.wav")}) == [str(tmp_path / "b.wav")]
    assert source_files({"kind": "hums"}) == []
