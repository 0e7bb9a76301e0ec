"""Audio metrics against librosa, scipy and cases by hand."""

import jaxtyping
import librosa
import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from flowsynth.metrics import audio

RATE = 22050
QUIET = np.float32(0.1)  # -20 dB

every_metric = pytest.mark.parametrize("metric", audio.METRICS, ids=lambda metric: metric.name)


def tone(frequency: float, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.cos(2 * np.pi * frequency * time)).astype(np.float32)


def melody(frequencies: list[float], partials: int, seconds: float = 0.2) -> np.ndarray:
    """A sequence of decaying notes."""
    time = np.arange(round(seconds * RATE)) / RATE
    notes = [sum(np.sin(2 * np.pi * f * k * time) / k for k in range(1, partials + 1)) for f in frequencies]
    return np.concatenate([0.3 * note * np.exp(-6 * time) for note in notes]).astype(np.float32)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20250617)


@pytest.fixture
def sounds(rng) -> np.ndarray:
    """Four different sounds of 1 s, with a little noise."""
    first = melody([220, 330, 440, 262, 165], 6)
    second = melody([233, 523, 196, 311, 415], 2)
    noise = 0.2 * rng.standard_normal(RATE)
    return (np.stack([first, second, tone(440), noise]) + 1e-3 * rng.standard_normal((4, RATE))).astype(np.float32)


@every_metric
def test_record_is_complete_and_consistent(metric):
    assert metric.domain == "audio"
    assert metric.perfect == (1.0 if metric.better == "higher" else 0.0)
    assert metric.range[0] <= metric.perfect <= metric.range[1]
    assert all((metric.label, metric.definition, metric.source, metric.silence))


@every_metric
def test_identical_sounds_are_exactly_perfect(metric, sounds):
    values = metric.function(sounds, sounds.copy(), RATE)
    assert values.dtype == np.float64
    assert (values == metric.perfect).all()


@every_metric
def test_reversed_polarity_is_exactly_perfect(metric, sounds):
    # the arrays differ, so the values are computed
    assert (metric.function(sounds, -sounds, RATE) == metric.perfect).all()


@every_metric
def test_different_sounds_are_not_perfect(metric, sounds):
    values = metric.function(sounds, np.roll(sounds, 1, axis=0), RATE)
    assert (values != metric.perfect).all()
    assert ((values >= metric.range[0]) & (values <= metric.range[1])).all()
    # not even sounds that differ in one sample
    changed = sounds.copy()
    changed[:, 5000] += 0.01
    assert (metric.function(sounds, changed, RATE) != metric.perfect).all()


@every_metric
def test_quiet_copy_changes_gain_aware_metrics_only(metric, sounds):
    values = metric.function(sounds, QUIET * sounds, RATE)
    if metric.gain == "invariant":
        np.testing.assert_allclose(values, metric.perfect, atol=1e-3)
    else:
        assert (np.abs(values - metric.perfect) > 1).all()


def test_wmfcc_of_a_quiet_copy_is_that_of_the_first_coefficient(rng):
    noise = 0.2 * rng.standard_normal((1, RATE)).astype(np.float32)
    frames = 1 + RATE // 220
    cost = 20 * np.sqrt(128) / 20  # 20 dB in each of 128 bands, orthonormal DCT, mean over 20 coefficients
    expected = cost * (2 * frames - 1) / (2 * frames)  # along the diagonal; the first frame counts once
    np.testing.assert_allclose(audio.wmfcc(noise, QUIET * noise, RATE), expected, rtol=1e-5)


@every_metric
def test_metrics_are_symmetric(metric, sounds):
    other = np.roll(sounds, 1, axis=0)
    forward, backward = metric.function(sounds, other, RATE), metric.function(other, sounds, RATE)
    np.testing.assert_allclose(forward, backward, rtol=1e-9)


@every_metric
def test_items_are_independent(metric, sounds):
    other = np.roll(sounds, 1, axis=0)
    together = metric.function(sounds, other, RATE)
    for item in range(len(sounds)):
        one = slice(item, item + 1)
        assert metric.function(sounds[one], other[one], RATE) == together[one]
    assert metric.function(sounds[:0], other[:0], RATE).shape == (0,)


@every_metric
def test_silence_has_finite_values(metric, sounds):
    silence = np.zeros_like(sounds)
    assert (metric.function(silence, silence, RATE) == metric.perfect).all()
    values = np.concatenate([metric.function(silence, sounds, RATE), metric.function(sounds, silence, RATE)])
    assert np.isfinite(values).all()
    assert ((values >= metric.range[0]) & (values <= metric.range[1]) & (values != metric.perfect)).all()


def test_silence_as_documented(sounds):
    sound, silence = sounds[:1], np.zeros_like(sounds[:1])
    assert audio.rms(sound, silence, RATE) == audio.rms(silence, sound, RATE) == 0
    decibels = librosa.power_to_db(power(sound[0], 0.010, 0.005, 32), ref=np.max)
    assert audio.mss(silence, sound, RATE) > 0.5 * np.abs(decibels).mean() > 10
    # the mass of a silent frame is beyond the axis of 552 bins, 530 bins from a tone in bin 22
    assert audio.sot(tone(22 * RATE / 1102)[None], silence, RATE) == pytest.approx(530 / 552, abs=0.01)
    # -100 dB in each band against librosa's MFCC, whatever the warping, as all silent frames are equal
    cepstra = librosa.feature.mfcc(y=sound[0], sr=RATE, n_mfcc=20, n_fft=1102, hop_length=220, n_mels=128)
    silent = librosa.feature.mfcc(S=np.full((128, 1), -100.0), n_mfcc=20)
    assert audio.wmfcc(sound, silence, RATE) == pytest.approx(np.abs(cepstra - silent).mean(), rel=0.1)


def test_half_silent_sound_by_hand():
    sound = tone(1000)
    half = sound.copy()
    half[RATE // 2 :] = 0
    # the envelopes are 1 throughout and 1 in one half: scalar product 1/2, norms 1 and sqrt(1/2)
    assert audio.rms(sound[None], half[None], RATE) == pytest.approx(np.sqrt(0.5), abs=0.01)
    # in the other half all mass moves from bin 50 of 552 to beyond the axis; the frame at the edge has a click
    assert audio.sot(sound[None], half[None], RATE) == pytest.approx(0.5 * (1 - 50 / 552), abs=0.03)


def test_wmfcc_is_more_tolerant_of_time_shifts_than_mss(rng):
    sound = np.pad(melody([220, 330, 440, 262, 165], 6), (0, 3000))
    late = np.roll(sound, 3000)
    other = np.pad(melody([233, 523, 196, 311, 415], 2), (0, 3000))
    noise = 1e-3 * rng.standard_normal(sound.size)
    sound, late, other = ((s + noise).astype(np.float32)[None] for s in (sound, late, other))
    shift = {m.name: (m.function(sound, late, RATE) / m.function(sound, other, RATE)).item() for m in audio.METRICS[:2]}
    assert shift["wmfcc"] < 0.5 * shift["mss"]


@pytest.mark.parametrize("bins", [1, 7, 60])
def test_sot_of_a_shifted_tone_is_the_shift(bins):
    width, count = RATE / 1102, 1102 // 2 + 1
    first, second = tone(200 * width, 4), tone((200 + bins) * width, 4)
    # except for the first and the last of 201 frames, which contain the onset and the end
    assert audio.sot(first[None], second[None], RATE).item() == pytest.approx(bins / count, rel=0.05)


def power(sound: np.ndarray, window: float, hop: float, bands: int, rate: int = RATE) -> np.ndarray:
    settings = {"n_fft": round(window * rate), "hop_length": round(hop * rate), "n_mels": bands, "window": "hann"}
    return librosa.feature.melspectrogram(y=sound, sr=rate, **settings)


@pytest.mark.parametrize("rate", [16000, 22050, 44100])
def test_mss_equals_librosa(sounds, rate):
    resolutions = ((0.010, 0.005, 32), (0.025, 0.010, 64), (0.100, 0.050, 128))
    other = np.roll(sounds, 1, axis=0)
    expected = []
    for pair in zip(sounds, other, strict=True):
        spectrograms = [[librosa.power_to_db(power(s, *r, rate), ref=np.max) for s in pair] for r in resolutions]
        expected.append(np.mean([np.abs(first - second).mean() for first, second in spectrograms]))
    np.testing.assert_allclose(audio.mss(sounds, other, rate), expected, rtol=1e-4)


def warped(cost: np.ndarray) -> float:
    """Cost of the best path of the step pattern symmetric2, by librosa."""
    steps = np.array([[1, 1], [0, 1], [1, 0]])
    weights = np.array([2.0, 1, 1])
    return librosa.sequence.dtw(C=cost, step_sizes_sigma=steps, weights_mul=weights, backtrack=False)[-1, -1]


def test_wmfcc_equals_librosa(sounds):
    other = np.roll(sounds, 1, axis=0)
    expected = []
    for pair in zip(sounds, other, strict=True):
        first, second = (
            librosa.feature.mfcc(y=s, sr=RATE, n_mfcc=20, n_fft=1102, hop_length=220, n_mels=128).T for s in pair
        )
        cost = np.abs(first[:, None] - second[None]).mean(axis=2).astype(np.float64)
        expected.append(warped(cost) / (len(first) + len(second)))
    np.testing.assert_allclose(audio.wmfcc(sounds, other, RATE), expected, rtol=1e-4)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (7, 12), (30, 21)])
def test_warping_equals_librosa(rng, shape):
    cost = rng.random(shape)
    assert audio._warp(cost) == pytest.approx(warped(cost), rel=1e-12)


def test_warping_by_hand():
    assert audio._warp(np.array([[1.0, 3.0], [4.0, 5.0]])) == 9  # via the top right; the diagonal costs 11
    assert audio._warp(np.array([[1.0, 9.0], [9.0, 5.0]])) == 11  # the diagonal, which counts twice
    cost = np.ones((6, 6))
    cost[1], cost[:, 4], cost[1, 4] = 0, 0, 0.01
    assert audio._warp(cost) == 2  # documented for this matrix by R's dtw


def test_sot_equals_scipy(sounds):
    first, second = sounds[:2, :4410]
    spectra = [np.abs(librosa.stft(s, n_fft=1102, hop_length=441)).T for s in (first, second)]
    axis = np.arange(552) / 552
    expected = np.mean([wasserstein_distance(axis, axis, a, b) for a, b in zip(*spectra, strict=True)])
    assert audio.sot(first[None], second[None], RATE).item() == pytest.approx(expected, rel=1e-4)


def test_rms_equals_librosa(sounds):
    first, second = (librosa.feature.rms(y=s, frame_length=1102, hop_length=551)[0] for s in sounds[:2])
    expected = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    assert audio.rms(sounds[:1], sounds[1:2], RATE).item() == pytest.approx(expected, rel=1e-5)


@every_metric
def test_value_depends_on_the_sample_rate(metric, sounds):
    other = np.roll(sounds, 1, axis=0)
    assert (metric.function(sounds, other, RATE) != metric.function(sounds, other, 2 * RATE)).all()


@every_metric
@pytest.mark.parametrize("rate", [8000, 11025, 16000, 32000, 48000, 96000])
def test_usual_sample_rates_have_finite_values(metric, rate):
    value = metric.function(tone(440, 0.1, rate)[None], tone(660, 0.1, rate)[None], rate)
    assert np.isfinite(value).all()


@every_metric
@pytest.mark.parametrize("rate", [0, -44100, 100])
def test_invalid_sample_rate_is_rejected(metric, rate, sounds):
    with pytest.raises(ValueError, match=f"sample_rate = {rate}"):
        metric.function(sounds, sounds, rate)


@every_metric
def test_invalid_sounds_are_rejected(metric, sounds, monkeypatch):
    with pytest.raises(ValueError, match="2204 samples"):
        metric.function(sounds[:, :2204], sounds[:, :2204], RATE)
    with pytest.raises(ValueError, match="not finite"):
        metric.function(sounds, np.full_like(sounds, np.nan), RATE)
    monkeypatch.setattr(
        jaxtyping.config, "jaxtyping_disable", True
    )  # as outside of tests, where shapes are not checked
    with pytest.raises(ValueError, match="shape"):
        metric.function(sounds, sounds[:, 1:], RATE)
    with pytest.raises(ValueError, match="shape"):
        metric.function(sounds, sounds[1:], RATE)
    with pytest.raises(ValueError, match="items x samples"):
        metric.function(sounds[0], sounds[0], RATE)
    with pytest.raises(ValueError, match="items x samples"):
        metric.function(sounds[None], sounds[None], RATE)
