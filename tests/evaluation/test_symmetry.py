"""Declared symmetries and inactive parameters are inaudible: tested on renderings."""

import dataclasses

import numpy as np
import pytest

from flowsynth.data.features import Mel, numpy_mel
from flowsynth.evaluation.symmetry import active_parameters, audible_mse, satisfies, summarise_errors, symmetry_images
from flowsynth.metrics.parameters import parameter_mse
from flowsynth.metrics.spectral import log_mel_l1
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render
from flowsynth.synths import spec as synths

NOTE = Note(22050, 512, 60, 100, 1.5, 2.0)
COUNT = 2
# settings that make random presets loud, and all of their parameters audible
AUDIBLE = {
    "amsynth": {
        "keyboard_mode": 0, "portamento_time": 0, "amp_attack": 0, "master_vol": 0.67, "osc1_waveform": 2,
        "osc2_waveform": 1,
    },
    "faust": {
        "osc1_wave": 3, "osc2_wave": 3, "osc3_wave": 3, "filter1_type": 0, "filter2_type": 0, "filter1_cutoff": 8,
        "filter2_cutoff": 8, "env1_attack": 0.15, "env2_attack": 0.15, "volume": 0.8, "reverb_mix": 0.3,
        "filter1_resonance": 0.1, "filter2_resonance": 0.1,
    },
    # all operators are carriers; one preset is scaled above the break point, the other below it
    "dexed": {
        "algorithm": 32, "p_mode_sens": 5, "lfo_pm_depth": 60, "lfo_am_depth": 90, "lfo_delay": 20, "transpose": 0,
        **{f"op{n}_{name}": value for n in range(1, 7) for name, value in {
            "output_level": 95, "break_point": (25, 52), "l_scale_depth": 60, "r_scale_depth": 60, "l_key_scale": 0,
            "r_key_scale": 0, "eg_level_1": 90, "eg_level_2": 95, "eg_level_3": 90, "eg_rate_1": 85, "mode": 0,
        }.items()},
    },
}  # fmt: skip
SYNTHS = [synths.load(name) for name in AUDIBLE]


def presets(synth: synths.Synth, when: dict[str, float], seed: int) -> np.ndarray:
    """Random audible presets with some values given, and stepped parameters on their steps."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(0.2, 0.8, (COUNT, len(synth.names))).astype(np.float32)
    for column, parameter in enumerate(synth.parameters):
        if parameter.steps:
            values[:, column] = np.round(values[:, column] * (parameter.steps - 1)) / (parameter.steps - 1)
    for name, value in (AUDIBLE[synth.name] | when).items():
        column = synth.names.index(name)
        values[:, column] = [synth.parameters[column].normalise(number) for number in np.broadcast_to(value, COUNT)]
    return values


def distances(synth: synths.Synth, *pairs: tuple[np.ndarray, np.ndarray]) -> list[float]:
    """Largest distance between the sounds of each pair of arrays of presets."""
    vectors = np.concatenate([values for pair in pairs for values in pair])
    audio = np.stack([result.audio for result in render(synth, NOTE, vectors, 20)])
    assert (np.abs(audio).max(axis=1) > 1e-3).all()
    mel = numpy_mel(Mel(NOTE.sample_rate, frames=40), audio).reshape(len(pairs), 2, COUNT, 64, -1)
    return [float(log_mel_l1(first, second).max()) for first, second in mel]


def mirrored(synth: synths.Synth, values: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    image = values.copy()
    columns = synth.columns(names)
    image[:, columns] = 1 - values[:, columns]
    return image


@pytest.mark.parametrize("synth", SYNTHS, ids=lambda synth: synth.name)
def test_every_synthesizer_is_tested(synth: synths.Synth):
    assert set(AUDIBLE) == set(synths.available())
    assert synth.inactive


@pytest.mark.slow
@pytest.mark.parametrize("synth", SYNTHS, ids=lambda synth: synth.name)
def test_inactive_parameters_are_audible_only_when_active(synth: synths.Synth):
    random_presets = presets(synth, {}, 0)
    assert active_parameters(synth, random_presets).all()
    pairs = []
    for rule in synth.inactive:
        values = presets(synth, rule.when, 0)
        assert satisfies(synth, values, rule.when).all()
        assert not active_parameters(synth, values)[:, synth.columns(rule.parameters)].any()
        pairs += [(array, mirrored(synth, array, rule.parameters)) for array in (values, random_presets)]
    by_rule = np.reshape(distances(synth, *pairs), (-1, 2))
    for rule, (inactive, active) in zip(synth.inactive, by_rule, strict=True):
        assert inactive < 0.002, rule
        assert active > 0.02, rule  # else the rule would be trivial


@pytest.mark.parametrize("synth", SYNTHS, ids=lambda synth: synth.name)
def test_symmetry_images_sound_the_same(synth: synths.Synth):
    random_presets = presets(synth, {}, 1)
    pairs = []
    for rule in synth.symmetries:
        single_rule = dataclasses.replace(synth, symmetries=(rule,))
        values = presets(synth, rule.when, 1)
        same, image = symmetry_images(single_rule, values)
        assert np.array_equal(same, values), rule
        assert (np.abs(image - values).max(axis=1) > 0.05).all(), rule
        elsewhere = random_presets if not satisfies(synth, random_presets, rule.when).any() else random_presets[:0]
        assert not rule.when or len(symmetry_images(single_rule, elsewhere)) == 1, rule
        pairs.append((values, image))
    for rule, distance in zip(synth.symmetries, distances(synth, *pairs), strict=True):
        assert distance < 0.002, rule


def test_audible_error_is_at_most_the_plain_one_and_by_hand():
    synth, names = synths.dataset("amsynth16")
    rng = np.random.default_rng(0)
    reference = rng.random((50, 16)).astype(np.float32)
    estimate = rng.random((50, 16)).astype(np.float32)
    columns = {name: column for column, name in enumerate(names)}
    reference[:10, columns["amp_sustain"]] = 1
    plain, audible = parameter_mse(reference, estimate), audible_mse(synth, names, reference, estimate)
    assert (audible <= plain + 1e-12).all()
    decay = (reference[:10, columns["amp_decay"]].astype(np.float64) - estimate[:10, columns["amp_decay"]]) ** 2 / 16
    assert audible[:10] == pytest.approx(plain[:10] - decay)
    assert audible[10:] == pytest.approx(plain[10:])
    (row,) = summarise_errors({"m": (plain, audible)}).itertuples()
    assert row.inaudible == pytest.approx(1 - audible.sum() / plain.sum())


def test_exchange_of_equal_oscillators_is_no_error():
    synth, names = synths.dataset("amsynth16")
    columns = {name: column for column, name in enumerate(names)}
    reference = np.random.default_rng(0).random((5, 16)).astype(np.float32)
    reference[:, columns["osc2_detune"]] = 0.5
    estimate = reference.copy()
    estimate[:, columns["osc1_pulsewidth"]] = reference[:, columns["osc2_pulsewidth"]]
    estimate[:, columns["osc2_pulsewidth"]] = reference[:, columns["osc1_pulsewidth"]]
    estimate[:, columns["osc_mix"]] = 1 - reference[:, columns["osc_mix"]]
    assert (parameter_mse(reference, estimate) > 1e-4).all()
    assert audible_mse(synth, names, reference, estimate) == pytest.approx(np.zeros(5), abs=1e-12)
