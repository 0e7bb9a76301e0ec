"""What a table declares to be inaudible is: presets that differ in nothing else are rendered."""

import numpy as np
import pytest

from flowsynth import synths
from flowsynth.features import Mel, numpy_mel
from flowsynth.host import Note
from flowsynth.metrics.parameters import parameter_mse
from flowsynth.metrics.spectral import log_mel_l1
from flowsynth.render import render
from flowsynth.symmetry import active, audible_mse, holds, images, table

SYNTH, NAMES = synths.dataset("amsynth41")
NOTE = Note(22050, 512, 60, 100, 3.0, 4.0)
COUNT = 6


def presets(when: dict[str, float], seed: int) -> np.ndarray:
    """Full vectors with some values given, stepped parameters on their steps, and loud enough to be heard."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(0.2, 0.8, (COUNT, len(NAMES))).astype(np.float32)
    for column, parameter in enumerate(SYNTH.parameters):
        if parameter.steps:
            values[:, column] = np.round(values[:, column] * (parameter.steps - 1)) / (parameter.steps - 1)
    heard = {
        "keyboard_mode": 0,
        "portamento_time": 0,
        "amp_attack": 0,
        "master_vol": 0.67,
        "osc1_waveform": 2,
        "osc2_waveform": 1,
    }
    for name, value in (heard | when).items():
        column = SYNTH.names.index(name)
        values[:, column] = SYNTH.parameters[column].normalise(value)
    return values


def distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    audio = np.stack([result.audio for result in render(SYNTH, NOTE, np.concatenate([first, second]), 20)])
    mel = numpy_mel(Mel(NOTE.sample_rate), audio)
    assert (np.abs(audio).max(axis=1) > 1e-3).all()
    return log_mel_l1(mel[:COUNT], mel[COUNT:])


@pytest.mark.parametrize("rule", SYNTH.inactive, ids=lambda rule: "-".join(rule.when))
def test_an_inactive_parameter_is_not_heard(rule: synths.Inactive):
    values = presets(rule.when, 0)
    assert holds(SYNTH, values, rule.when).all()
    changed = values.copy()
    for name in rule.parameters:
        column = SYNTH.names.index(name)
        changed[:, column] = 1 - values[:, column]
    assert not active(SYNTH, values)[:, SYNTH.columns(rule.parameters)].any()
    assert distance(values, changed).max() < 0.002


@pytest.mark.parametrize("rule", SYNTH.inactive, ids=lambda rule: "-".join(rule.when))
def test_it_is_heard_otherwise(rule: synths.Inactive):
    """Else the rule would say nothing."""
    values = presets({}, 0)
    assert active(SYNTH, values).all()
    changed = values.copy()
    for name in rule.parameters:
        changed[:, SYNTH.names.index(name)] = 1 - values[:, SYNTH.names.index(name)]
    assert distance(values, changed).max() > 0.05


@pytest.mark.parametrize("rule", SYNTH.symmetries)
def test_the_images_of_a_symmetry_sound_the_same(rule: synths.Symmetry):
    values = presets(rule.when, 1)
    same, image = images(SYNTH, values)
    assert np.array_equal(same, values)
    assert (np.abs(image - values).max(axis=1) > 0.05).all()
    assert distance(values, image).max() < 0.002
    free = presets({}, 1)
    assert np.array_equal(images(SYNTH, free)[1], free)


def test_the_audible_error_is_never_above_the_plain_one_and_by_hand():
    synth, names = synths.dataset("amsynth16")
    rng = np.random.default_rng(0)
    reference = rng.random((50, 16)).astype(np.float32)
    estimate = rng.random((50, 16)).astype(np.float32)
    place = {name: column for column, name in enumerate(names)}
    reference[:10, place["amp_sustain"]] = 1
    plain, audible = parameter_mse(reference, estimate), audible_mse(synth, names, reference, estimate)
    assert (audible <= plain + 1e-12).all()
    decay = (reference[:10, place["amp_decay"]].astype(np.float64) - estimate[:10, place["amp_decay"]]) ** 2 / 16
    assert audible[:10] == pytest.approx(plain[:10] - decay)
    assert audible[10:] == pytest.approx(plain[10:])
    (row,) = table({"m": (plain, audible)}).itertuples()
    assert row.inaudible == pytest.approx(1 - audible.sum() / plain.sum())


def test_an_exchange_of_equal_oscillators_is_no_error():
    synth, names = synths.dataset("amsynth16")
    place = {name: column for column, name in enumerate(names)}
    reference = np.random.default_rng(0).random((5, 16)).astype(np.float32)
    reference[:, place["osc2_detune"]] = 0.5
    estimate = reference.copy()
    estimate[:, place["osc1_pulsewidth"]] = reference[:, place["osc2_pulsewidth"]]
    estimate[:, place["osc2_pulsewidth"]] = reference[:, place["osc1_pulsewidth"]]
    estimate[:, place["osc_mix"]] = 1 - reference[:, place["osc_mix"]]
    assert (parameter_mse(reference, estimate) > 1e-4).all()
    assert audible_mse(synth, names, reference, estimate) == pytest.approx(np.zeros(5), abs=1e-12)
