"""Evaluation of two sounds gives the scores of the pipeline and rejects invalid input."""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from flowsynth.data.features import DEFAULTS, Mel, numpy_mel
from flowsynth.evaluation.scoring import compute_metrics
from flowsynth.metrics import evaluate, registry, spectral, validate

RATE = 22050
LENGTH = 4 * RATE
METRICS = [metric for metric in registry().values() if metric.domain != "parameters"]
MODULES = ["", ".audio", ".parameters", ".spectral"]


def sound(seed: int, rate: int = RATE) -> np.ndarray:
    """A decaying tone in noise, 4 s."""
    rng = np.random.default_rng(seed)
    time = np.arange(4 * rate) / rate
    tone = np.sin(2 * np.pi * rng.uniform(100, 2000) * time) * np.exp(-time * rng.uniform(0, 5))
    return (0.3 * tone + 0.02 * rng.standard_normal(len(time))).astype(np.float32)


def pipeline_scores(target: np.ndarray, estimate: np.ndarray, rate: int) -> dict[str, float]:
    parameters = np.zeros((1, 0), np.float32)
    results = compute_metrics(METRICS, parameters, target[None], rate, [(parameters, estimate[None])])
    return {name: values.item() for _, name, values in results}


@pytest.mark.parametrize("rate", [22050, 44100])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_scores_equal_those_of_the_pipeline(seed: int, rate: int):
    target, estimate = sound(seed, rate), sound(seed + 10, rate)
    assert evaluate(target, estimate, rate) == pytest.approx(pipeline_scores(target, estimate, rate), rel=1e-6)


def test_scores_of_silence_equal_those_of_the_pipeline():
    silence = np.zeros(LENGTH, np.float32)
    for pair in [(silence, sound(1)), (sound(1), silence), (silence, silence)]:
        assert evaluate(*pair, RATE) == pytest.approx(pipeline_scores(*pair, RATE), rel=1e-6, nan_ok=True)


def test_identical_sounds_are_exactly_perfect():
    assert evaluate(sound(1), sound(1), RATE) == {metric.name: metric.perfect for metric in METRICS}


def test_mel_power_equals_the_features():
    sounds = np.stack([sound(1), sound(2)])
    expected = numpy_mel(Mel(RATE), sounds)
    np.testing.assert_allclose(spectral.mel_power(sounds, RATE), expected, rtol=1e-5, atol=1e-6 * expected.max())


def test_mel_settings_equal_the_features():
    assert {
        "n_mels": spectral.N_MELS,
        "n_fft": spectral.N_FFT,
        "hop_length": spectral.HOP_LENGTH,
        "fmin": spectral.FMIN,
        "fmax": spectral.FMAX,
        "frames": spectral.FRAMES,
        "floor": spectral.FLOOR,
    } == DEFAULTS


def test_files_have_the_scores_of_their_samples(tmp_path: Path):
    paths = [tmp_path / "target.wav", str(tmp_path / "estimate.wav")]
    for path, seed in zip(paths, (1, 2), strict=True):
        soundfile.write(path, sound(seed), RATE, subtype="FLOAT")
    expected = evaluate(sound(1), sound(2), RATE)
    assert evaluate(*paths) == expected
    assert evaluate(*paths, RATE) == evaluate(paths[0], sound(2), RATE) == expected


def test_sample_rates_of_files_must_agree(tmp_path: Path):
    paths = [tmp_path / "target.wav", tmp_path / "estimate.wav"]
    for path, rate in zip(paths, (22050, 44100), strict=True):
        soundfile.write(path, sound(1), rate)
    with pytest.raises(ValueError, match=r"22050 Hz.* 44100 Hz"):
        evaluate(*paths)
    with pytest.raises(ValueError, match=r"48000 Hz.* 22050 Hz"):
        evaluate(paths[0], paths[0], 48000)


def test_array_without_a_sample_rate_is_rejected():
    with pytest.raises(ValueError, match="sample_rate = None"):
        evaluate(sound(1), sound(2))


@pytest.mark.parametrize("rate", [0, -44100, 16000])
def test_invalid_sample_rate_is_rejected(rate: int):
    with pytest.raises(ValueError, match=f"sample_rate = {rate} Hz"):
        validate(sound(1), sound(2), rate)


@pytest.mark.parametrize(
    ("estimate", "value"),
    [
        (np.full(LENGTH, np.nan), "the estimate is not finite"),
        (np.full(LENGTH, -np.inf), "the estimate is not finite"),
        (np.zeros((1, LENGTH)), rf"the estimate has the shape \(1, {LENGTH}\)"),
        (np.zeros(LENGTH - 1), f"{LENGTH} samples, the estimate {LENGTH - 1}"),
        (np.zeros(LENGTH, np.int16), "the estimate is of type int16"),
    ],
)
def test_invalid_sound_is_rejected(estimate: np.ndarray, value: str):
    with pytest.raises(ValueError, match=value):
        validate(np.zeros(LENGTH), estimate, RATE)


def test_short_sounds_are_rejected():
    shortest = np.zeros(spectral.MIN_SAMPLES)
    validate(shortest, shortest, RATE)
    with pytest.raises(ValueError, match=str(spectral.MIN_SAMPLES - 1)):
        validate(shortest[1:], shortest[1:], RATE)


def test_evaluation_loads_neither_torch_nor_librosa():
    code = (
        "import sys, numpy, flowsynth.metrics as m; m.evaluate(numpy.zeros(88200), numpy.ones(88200), 22050);"
        "print({'torch', 'librosa'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


@pytest.mark.parametrize("name", MODULES)
def test_public_functions_have_an_example(name: str):
    module = importlib.import_module(f"flowsynth.metrics{name}")
    functions = [value for value in vars(module).values() if inspect.isfunction(value)]
    public = [f for f in functions if f.__module__ == module.__name__ and not f.__name__.startswith("_")]
    assert [f.__name__ for f in public if ">>> " not in f.__doc__] == []
