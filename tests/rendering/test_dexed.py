"""Dexed renders the same bits in any order, and is checked against its parameter table."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flowsynth.data.features import Mel, numpy_mel
from flowsynth.rendering import worker
from flowsynth.rendering.dexed import GAIN
from flowsynth.rendering.host import Host, Note, plugin_record
from flowsynth.rendering.render import render
from flowsynth.synths import spec as synths

SYNTH = synths.load("dexed")
NOTE = Note(22050, 512, 60, 100, 0.6, 1.0)


def presets(count: int) -> np.ndarray:
    values = np.random.default_rng(0).random((count, len(SYNTH.names))).astype(np.float32)
    for column, name in enumerate(SYNTH.names):  # audible for the whole note
        if name.endswith(("output_level", "eg_level_1", "eg_level_2", "eg_level_3", "eg_rate_1")):
            values[:, column] = 0.85 + 0.15 * values[:, column]
        elif name.endswith(("scale_depth", "pitch_eg_level_1", "_mode")):
            values[:, column] = SYNTH.base[column]
    return values


def test_one_instance_renders_the_same_bits_in_any_order():
    values = presets(24)
    order = np.random.default_rng(1).permutation(len(values))
    forward = [result.audio for result in render(SYNTH, NOTE, values, 20)]
    shuffled = [result.audio for result in render(SYNTH, NOTE, values[order], 20)]
    fresh = [Host(SYNTH, NOTE).play(row) for row in values]
    for index, row in enumerate(order):
        assert np.array_equal(forward[row], shuffled[index])
        assert np.array_equal(forward[row], fresh[row])
    assert len({audio.tobytes() for audio in forward}) == len(values)


def test_values_between_steps_are_rounded():
    values = SYNTH.base.astype(np.float32)
    column = SYNTH.names.index("op1_output_level")
    values[column] = 80 / 99
    near, other = values.copy(), values.copy()
    near[column], other[column] = 80.4 / 99, 80.6 / 99
    exact, rounded, different = (Host(SYNTH, NOTE).play(row) for row in (values, near, other))
    assert np.array_equal(exact, rounded)
    assert not np.array_equal(exact, different)


def test_values_beyond_the_range_are_limited_and_no_number_fails_its_item():
    loud, beyond, broken = (SYNTH.base.astype(np.float32) for _ in range(3))
    column = SYNTH.names.index("op2_output_level")
    loud[column], beyond[column], broken[column] = 1, 1.2, np.nan
    results = list(render(SYNTH, NOTE, [loud, beyond, broken, loud], 20))
    assert [result.status for result in results] == ["ok", "ok", "failed", "ok"]
    assert results[2].reason == "ValueError: a parameter is not a finite number"
    assert np.array_equal(results[0].audio, results[1].audio)
    assert np.array_equal(results[0].audio, results[3].audio)


def test_init_voice_is_a_sine_of_the_note():
    (result,) = render(SYNTH, NOTE, [SYNTH.base], 20)
    assert result.status == "ok"
    assert result.audio.dtype == np.float32
    assert len(result.audio) == NOTE.samples
    spectrum = np.abs(np.fft.rfft(result.audio[4096 : 4096 + 8192] * np.hanning(8192)))
    assert np.fft.rfftfreq(8192, 1 / NOTE.sample_rate)[spectrum.argmax()] == pytest.approx(261.63, abs=3)
    assert np.abs(result.audio).max() == pytest.approx(GAIN, rel=0.01)


def test_the_loudest_voice_is_below_full_scale():
    loud = SYNTH.base.astype(np.float32)
    for name in SYNTH.names:
        if name.endswith("output_level"):
            loud[SYNTH.names.index(name)] = 1
    loud[SYNTH.names.index("algorithm")] = 1  # six carriers
    (result,) = render(SYNTH, replace(NOTE, velocity=127), [loud], 20)
    assert 0.4 < np.abs(result.audio).max() < 1


def test_sounds_are_those_of_the_reference():
    """Log-mel spectrograms of voices of the tests, rounded: another version of the package would differ."""
    audio = np.stack([result.audio for result in render(SYNTH, NOTE, presets(3), 20)])
    log_mel = np.log(numpy_mel(Mel(NOTE.sample_rate, frames=20), audio) + 1e-3)
    coarse = log_mel.reshape(3, 4, 16, 2, 10).mean(axis=(2, 4))
    assert coarse == pytest.approx(np.array(GOLDEN).reshape(coarse.shape), abs=2e-4)


def test_a_hang_ends_the_process_and_time_between_presets_does_not():
    def play(vector: np.ndarray) -> np.ndarray:
        if vector[0]:
            time.sleep(60)
        return vector

    def vectors(last: float) -> Iterator[np.ndarray]:
        yield np.zeros(1)
        time.sleep(0.5)  # longer than the timeout
        yield np.full(1, last)

    for last, expected in ((0.0, 0), (1.0, signal.SIGALRM)):
        child = os.fork()
        if child == 0:
            os._exit(len(list(worker.render_reused(play, vectors(last), 1, 0.3))) - 2)
        assert os.waitpid(child, 0)[1] == expected


def test_an_error_fails_its_preset_only():
    def play(vector: np.ndarray) -> np.ndarray:
        if vector[0] > 0:
            raise RuntimeError("no voice")
        return np.full(4, 0.5, np.float32)

    results = list(worker.render_reused(play, [np.zeros(1), np.ones(1), np.zeros(1)], 4, 20))
    assert [(result.status, result.reason) for result in results] == [
        ("ok", ""), ("failed", "RuntimeError: no voice"), ("ok", ""),
    ]  # fmt: skip


def test_a_table_with_other_ranges_is_refused():
    other = replace(SYNTH, parameters=(replace(SYNTH.parameters[0], high=98.0), *SYNTH.parameters[1:]))
    with pytest.raises(ValueError, match=r"op6_eg_rate_1 \(98, 99 in the package\)"):
        Host(other, NOTE)
    with pytest.raises(ValueError, match="144 parameters, expected 145"):
        Host(replace(SYNTH, parameters=SYNTH.parameters[:-1]), NOTE)


def test_a_missing_package_says_how_to_install_it():
    with pytest.raises(FileNotFoundError, match=r"dexed: no plugin at gone\. .*pip install dexed-py==0\.3\.0"):
        Host(replace(SYNTH, plugin=Path("gone")), NOTE)


def test_the_hash_of_the_package_ignores_compiled_modules(tmp_path: Path):
    (tmp_path / "engine.so").write_bytes(b"engine")
    synth = replace(SYNTH, plugin=tmp_path)
    before = plugin_record(synth)["plugin_sha256"]
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/patch.cpython-311.pyc").write_bytes(b"compiled")
    assert plugin_record(synth)["plugin_sha256"] == before
    (tmp_path / "engine.so").write_bytes(b"other")
    assert plugin_record(synth)["plugin_sha256"] != before


GOLDEN = [
    -4.4476,
    -4.8671,
    -4.5185,
    -4.8212,
    -4.4209,
    -4.7895,
    -4.3871,
    -4.6931,
    -2.883,
    -4.2654,
    -3.3585,
    -4.5243,
    -4.0287,
    -4.465,
    -3.606,
    -2.9915,
    -3.2156,
    -4.4742,
    -3.1243,
    -4.3943,
    -3.0158,
    -4.295,
    -2.9201,
    -4.2517,
]
