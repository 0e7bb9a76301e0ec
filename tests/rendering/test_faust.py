"""The built-in synthesizer: parameter table, reproducible rendering, and plausible synthetic presets."""

import shutil
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pytest
import yaml

from flowsynth.data import presets
from flowsynth.rendering.host import Host, Note, fingerprint
from flowsynth.rendering.render import render
from flowsynth.rendering.worker import render_reloaded
from flowsynth.synths import spec as synths

NOTE = Note(22050, 512, 60, 100, 1.5, 2.0)
SYNTH = synths.load("faust")
C4 = 440 * 2 ** ((60 - 69) / 12)


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    table, counts = presets.collect(SYNTH, SYNTH.names, limit=6, seed=1)
    assert counts["drawn"] == 4000
    assert counts["duplicates"] == 0
    return table[list(SYNTH.names)].to_numpy()


@pytest.fixture(scope="module")
def sounds(values: np.ndarray) -> list[np.ndarray]:
    return [result.audio for result in render(SYNTH, NOTE, values, 20)]


def write_program(text: str, folder: Path) -> synths.Synth:
    (folder / "faust.dsp").write_text(text)
    return replace(SYNTH, plugin=folder / "faust.dsp")


@pytest.mark.slow
def test_rendering_is_reproducible_in_any_order_and_by_any_way(values: np.ndarray, sounds: list[np.ndarray]):
    reversed_order = [result.audio for result in render(SYNTH, NOTE, values[::-1], 20)]
    assert all(np.array_equal(a, b) for a, b in zip(sounds, reversed_order[::-1], strict=True))
    reloaded = [result.audio for result in render_reloaded(lambda: Host(SYNTH, NOTE), values[:2].astype(np.float32))]
    assert all(np.array_equal(a, b) for a, b in zip(sounds, reloaded, strict=False))
    host = Host(SYNTH, NOTE)
    assert all(np.array_equal(host.play(row.astype(np.float32)), a) for row, a in zip(values, sounds, strict=True))


@pytest.mark.slow
def test_presets_are_audible_and_mostly_have_the_note_pitch(sounds: list[np.ndarray]):
    assert all(1e-2 < np.abs(audio).max() < 1 for audio in sounds)
    assert len({audio.tobytes() for audio in sounds}) == len(sounds)
    octaves = []
    for audio in sounds:
        pitch, *_ = librosa.pyin(audio[2000:24000], fmin=50, fmax=1500, sr=NOTE.sample_rate)
        octaves.append(np.log2(np.nanmedian(pitch) / C4))
    deviations = np.abs(octaves - np.round(octaves))
    assert np.mean(deviations < 0.05) > 0.8


@pytest.mark.slow
def test_key_is_released_after_the_held_time():
    values, note = SYNTH.base[None], replace(NOTE, duration=3.0)
    short, long = (next(render(SYNTH, replace(note, held=held), values, 20)).audio for held in (1.0, 3.0))
    second = slice(NOTE.sample_rate * 2, int(NOTE.sample_rate * 2.5))
    assert np.abs(short[second]).max() < 1e-3 < 0.05 < np.abs(long[second]).max()
    higher = next(render(SYNTH, replace(NOTE, pitch=72), values, 20)).audio
    pitch, *_ = librosa.pyin(higher[2000:24000], fmin=50, fmax=1500, sr=NOTE.sample_rate)
    assert np.nanmedian(pitch) == pytest.approx(2 * C4, rel=0.01)
    assert fingerprint(SYNTH, NOTE)["plugin_sha256"]


def test_every_parameter_is_audible():
    """Also in the first rendering of a process."""
    rng = np.random.default_rng(0)
    base = SYNTH.base.copy()
    active = {
        "osc1_wave": 3,
        "osc2_wave": 3,
        "osc3_wave": 3,
        "osc3_level": 0.5,
        "filter1_cutoff": 6,
        "filter2_cutoff": 7,
        "env2_cutoff1": 2,
    }
    for name, value in active.items():
        base[SYNTH.names.index(name)] = SYNTH.parameters[SYNTH.names.index(name)].normalise(value)
    for column, parameter in enumerate(SYNTH.parameters):
        if base[column] == 0 and not parameter.steps:
            base[column] = rng.uniform(0.2, 0.4)
    variants = []
    for column, parameter in enumerate(SYNTH.parameters):
        row = base.copy()
        row[column] = (row[column] + (1 / (parameter.steps - 1) if parameter.steps else 0.3)) % 1.001
        variants.append(row)
    reference, *others = [result.audio for result in render(SYNTH, NOTE, [base, *variants], 20)]
    inaudible = [
        name for name, audio in zip(SYNTH.names, others, strict=True) if np.abs(audio - reference).max() < 1e-3
    ]
    assert inaudible == []


def test_mismatching_programs_are_rejected(tmp_path: Path):
    text = SYNTH.plugin.read_text()
    with pytest.raises(ValueError, match=r"missing \['volume'\], not in the table \['loudness'\]"):
        Host(write_program(text.replace('"volume"', '"loudness"'), tmp_path), NOTE)
    with pytest.raises(ValueError, match=r"distortion: range and default \(0\.0, 2\.0, 0\.0\) in .*, \(0, 1, 0\) in"):
        Host(write_program(text.replace('"distortion", 0, 0, 1', '"distortion", 0, 0, 2'), tmp_path), NOTE)
    with pytest.raises(ValueError, match=r"faust\.dsp"):
        Host(write_program(text.replace("process = ", "process = nothing : "), tmp_path), NOTE)
    with pytest.raises(FileNotFoundError, match=r"none\.dsp"):
        Host(replace(SYNTH, plugin=tmp_path / "none.dsp"), NOTE)


def test_sets_are_nested():
    assert sorted(SYNTH.sets) == [16, 32, 64]
    assert set(SYNTH.sets[16]) < set(SYNTH.sets[32]) < set(SYNTH.sets[64])
    assert len(SYNTH.symmetries) == 3


def test_synthetic_presets_follow_the_table():
    table = presets.draw_presets(SYNTH, 3000, 1)
    assert list(table.columns) == list(SYNTH.names)
    for parameter in SYNTH.parameters:
        share, low, high = parameter.draw
        column = table[parameter.name].to_numpy()
        nondefault = column != parameter.normalise(parameter.default)
        values = np.array([parameter.value(value) for value in column[nondefault]])
        assert values.min() >= low - 1e-6
        assert values.max() <= high + 1e-6
        if parameter.steps:
            steps = column * (parameter.steps - 1)
            assert steps == pytest.approx(np.round(steps))
            assert len(np.unique(values)) >= round(
                (high - low) / (parameter.high - parameter.low) * (parameter.steps - 1)
            )
        else:
            assert nondefault.mean() == pytest.approx(share, abs=0.04)
    other = presets.draw_presets(SYNTH, 3000, 2)
    assert not table.equals(other)
    assert table.equals(presets.draw_presets(SYNTH, 3000, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"presets": 0, "banks": "x"}, "either banks or"),
        ({"draw": [2, 0, 1]}, r"volume: draw \[2, 0, 1\]"),
    ],
)
def test_inconsistent_tables_are_rejected(tmp_path: Path, change: dict, message: str):
    table = yaml.safe_load((synths.FOLDER / "faust.yaml").read_text())
    if "draw" in change:
        table["parameters"]["volume"] |= change
    else:
        table |= change
    (tmp_path / "faust.yaml").write_text(yaml.safe_dump(table, sort_keys=False))
    shutil.copy(SYNTH.plugin, tmp_path)
    with pytest.raises(ValueError, match=message):
        synths.read(tmp_path / "faust.yaml")
