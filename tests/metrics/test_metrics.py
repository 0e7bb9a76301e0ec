"""The contract of every registered metric, and values of the metrics of parameters and spectra."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import jaxtyping
import numpy as np
import pytest

from flowsynth import metrics
from flowsynth.metrics import Metric
from flowsynth.metrics.parameters import parameter_mse, parameter_mse_n
from flowsynth.metrics.spectral import NEAR_SILENT, log_mel_l1, mel_mse, spectral_convergence

METRICS = list(metrics.registry().values())
ITEMS = 5
RATE = 22040  # Hz

WHOLE = "over the whole test set"  # in the definition of a metric that depends on all items


def for_each(metrics: list[Metric]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("metric", metrics, ids=lambda metric: metric.name)


each_metric = for_each(METRICS)


def examples(metric: Metric, items: int = ITEMS, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Reference and estimate, float32 and not silent."""
    rng = np.random.default_rng(seed)
    generators = {
        "parameters": lambda: rng.random((items, 16)),
        "spectral": lambda: 10 ** rng.uniform(-5, 3, (items, 16, 20)),
        "audio": lambda: (
            rng.uniform(-0.5, 0.5, (items, RATE // 2)) * rng.random((items, 10)).repeat(RATE // 20, axis=1)
        ),
    }
    generate = generators[metric.domain]
    return generate().astype(np.float32), generate().astype(np.float32)


def measure(metric: Metric, reference: np.ndarray, estimate: np.ndarray) -> np.ndarray:
    """Call a metric as scoring does; audio metrics take the sample rate."""
    return metric.function(reference, estimate, *([RATE] if metric.domain == "audio" else []))


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Disable the shape checks of the tests, so that only the metric itself checks."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)


def test_registry_has_the_metrics_of_every_module_once():
    names = {module.name for module in pkgutil.iter_modules(metrics.__path__)} - {
        "perceptual"
    }  # too costly for every score
    modules = [importlib.import_module(f"flowsynth.metrics.{name}") for name in names]
    in_modules = [metric for module in modules for metric in getattr(module, "METRICS", ())]
    assert len(METRICS) == len(in_modules) > 0
    assert {id(metric) for metric in METRICS} == {id(metric) for metric in in_modules}


def test_names_and_labels_are_unique():
    assert len({metric.name for metric in METRICS}) == len({metric.label for metric in METRICS}) == len(METRICS)
    assert all(name == metric.name for name, metric in metrics.registry().items())


@each_metric
def test_record_is_complete(metric: Metric):
    for field in ("name", "label", "definition", "source", "silence"):
        assert getattr(metric, field).strip(), field
    assert metric.better in ("lower", "higher")
    assert metric.domain in ("parameters", "spectral", "audio")
    assert (metric.gain == "not applicable") == (metric.domain == "parameters")
    assert metric.range[0] < metric.range[1]
    assert metric.perfect == metric.range[0 if metric.better == "lower" else 1]
    assert metric.function.__doc__


@each_metric
def test_reference_is_the_first_argument(metric: Metric):
    assert list(inspect.signature(metric.function).parameters)[:2] == ["reference", "estimate"]


@each_metric
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_identical_arrays_are_exactly_perfect(metric: Metric, dtype: type):
    reference = examples(metric)[0].astype(dtype)
    assert measure(metric, reference, reference.copy()).tolist() == [metric.perfect] * ITEMS


@each_metric
@pytest.mark.parametrize("items", [1, 2, 5])
def test_one_value_per_item_within_the_range(metric: Metric, items: int):
    values = measure(metric, *examples(metric, items))
    assert values.shape == (items,)
    assert np.isfinite(values).all()
    assert (values >= metric.range[0]).all()
    assert (values <= metric.range[1]).all()
    assert (values != metric.perfect).all()


@each_metric
def test_closer_estimate_is_better(metric: Metric):
    reference, estimate = examples(metric)
    closer = measure(metric, reference, reference + (estimate - reference) / 2)
    farther = measure(metric, reference, estimate)
    assert (closer < farther if metric.better == "lower" else closer > farther).all()


@each_metric
def test_single_precision_is_enough(metric: Metric):
    reference, estimate = examples(metric)
    exact = measure(metric, reference.astype(np.float64), estimate.astype(np.float64))
    np.testing.assert_allclose(measure(metric, reference, estimate), exact, rtol=1e-6)


@each_metric
def test_arrays_of_different_shapes_are_rejected(metric: Metric, unchecked: None):
    reference, estimate = examples(metric)
    for other in (estimate[:-1], estimate[:1], estimate[..., :-1], estimate[..., :1]):
        with pytest.raises(ValueError, match=r"reference has the shape .* the estimate"):
            measure(metric, reference, other)


@each_metric
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_non_finite_values_are_rejected_with_their_array(metric: Metric, value: float):
    reference, estimate = examples(metric)
    invalid = estimate.copy()
    invalid.flat[7] = value
    with pytest.raises(ValueError, match="the estimate is not finite"):
        measure(metric, reference, invalid)
    with pytest.raises(ValueError, match="the reference is not finite"):
        measure(metric, invalid, reference)


@each_metric
def test_items_are_independent_unless_defined_otherwise(metric: Metric):
    reference, estimate = examples(metric)
    together = measure(metric, reference, estimate)
    single = [measure(metric, reference[i : i + 1], estimate[i : i + 1])[0] for i in range(ITEMS)]
    depends = not np.allclose(together, single, rtol=1e-12, atol=0)
    assert depends == (WHOLE in metric.definition)


@each_metric
def test_values_follow_the_order_of_the_items(metric: Metric):
    reference, estimate = examples(metric)
    order = [3, 0, 4, 1, 2]
    expected = measure(metric, reference, estimate)[order]
    np.testing.assert_allclose(measure(metric, reference[order], estimate[order]), expected, rtol=1e-12)


@each_metric
def test_arrays_are_not_modified(metric: Metric):
    reference, estimate = examples(metric)
    before = reference.copy(), estimate.copy()
    measure(metric, reference, estimate)
    np.testing.assert_array_equal(reference, before[0])
    np.testing.assert_array_equal(estimate, before[1])


@each_metric
def test_quiet_copy_changes_gain_aware_metrics_only(metric: Metric):
    if metric.domain == "parameters":
        assert metric.gain == "not applicable"
        return
    reference, _ = examples(metric)
    minus_20_db = np.float32(0.01 if metric.domain == "spectral" else 0.1)
    values = measure(metric, reference, reference * minus_20_db)
    if metric.gain == "aware":
        assert (np.abs(values - metric.perfect) > 0.01).all()
    else:
        np.testing.assert_allclose(values, metric.perfect, atol=1e-3)


@each_metric
def test_silence_has_a_value_in_the_range_or_none(metric: Metric):
    reference, estimate = examples(metric)
    silence = np.zeros_like(reference)
    for pair in [(silence, estimate), (reference, silence), (silence, silence)]:
        values = measure(metric, *pair)
        in_range = (values >= metric.range[0]) & (values <= metric.range[1])
        assert (in_range | np.isnan(values)).all()
        assert "NaN" in metric.silence or in_range.all()


@for_each([metric for metric in METRICS if WHOLE not in metric.definition])
def test_silent_item_does_not_affect_the_others(metric: Metric):
    reference, estimate = examples(metric)
    expected = measure(metric, reference, estimate)
    reference[2] = 0
    others = [0, 1, 3, 4]
    np.testing.assert_allclose(measure(metric, reference, estimate)[others], expected[others], rtol=1e-12)


def power(*rows: list[float]) -> np.ndarray:
    """Spectrograms with one band."""
    return np.array(rows, dtype=np.float32)[:, None, :]


def test_parameter_mse_by_hand():
    reference = np.array([[0.0, 1.0], [0.5, 0.5]])
    estimate = np.array([[0.5, 0.5], [0.5, 1.0]])
    np.testing.assert_allclose(parameter_mse(reference, estimate), [0.25, 0.125])


def test_parameter_mse_n_by_hand():
    """The mean square of the reference is (0 + 1 + 0.25 + 0.25) / 4, that of the estimate (3 * 0.25 + 1) / 4."""
    reference = np.array([[0.0, 1.0], [0.5, 0.5]])
    estimate = np.array([[0.5, 0.5], [0.5, 1.0]])
    np.testing.assert_allclose(parameter_mse_n(reference, estimate), [0.25 / 0.375, 0.125 / 0.375])
    np.testing.assert_allclose(parameter_mse_n(estimate, reference), [0.25 / 0.4375, 0.125 / 0.4375])


def test_parameter_mse_n_of_zero_references_is_finite():
    assert np.isfinite(parameter_mse_n(np.zeros((2, 3)), np.ones((2, 3)))).all()


def test_spectral_convergence_by_hand():
    reference = power([3, 4], [3, 4], [3, 4], [3, 0])
    estimate = power([3, 0], [6, 8], [0, 0], [3, 4])
    np.testing.assert_allclose(spectral_convergence(reference, estimate), [4 / 5, 1, 1, 4 / 3])


def test_spectral_convergence_is_the_ratio_of_frobenius_norms():
    rng = np.random.default_rng(1)
    reference, estimate = rng.random((2, 3, 64, 80))
    expected = [np.sqrt(((r - e) ** 2).sum()) / np.sqrt((r**2).sum()) for r, e in zip(reference, estimate, strict=True)]
    np.testing.assert_allclose(spectral_convergence(reference, estimate), expected)


def test_spectral_convergence_of_near_silent_reference_is_nan():
    reference = power([0, 0], [NEAR_SILENT * 0.999, 0], [NEAR_SILENT, 0])
    estimate = power([1, 0], [1, 0], [0, 0])
    np.testing.assert_array_equal(spectral_convergence(reference, estimate), [np.nan, np.nan, 1])


def test_spectral_convergence_of_a_silent_estimate_is_one():
    reference = np.random.default_rng(1).random((4, 64, 80)).astype(np.float32) * 10
    np.testing.assert_array_equal(spectral_convergence(reference, np.zeros_like(reference)), np.ones(4))


def test_mel_mse_by_hand():
    np.testing.assert_allclose(mel_mse(power([1, 2], [0, 100]), power([3, 3], [0, 0])), [2.5, 5000])


def test_log_mel_l1_by_hand():
    reference = power([0, 0], [1, 0])
    estimate = power([1e-3 * (np.e - 1), 0], [0.099, 0])
    expected = [1 / 2, np.log(1.001 / 0.1) / 2]
    np.testing.assert_allclose(log_mel_l1(reference, estimate), expected, rtol=1e-6)


def test_log_mel_l1_is_insensitive_below_the_floor():
    assert log_mel_l1(power([0, 1]), power([1e-6, 1]))[0] < 1e-3
    assert log_mel_l1(power([0, 1]), power([1e-2, 1]))[0] > 1


@pytest.mark.parametrize("distance", [parameter_mse, mel_mse, log_mel_l1])
def test_distances_are_symmetric(distance):
    metric = metrics.registry()[distance.__name__]
    reference, estimate = examples(metric)
    np.testing.assert_allclose(distance(reference, estimate), distance(estimate, reference), rtol=1e-6)


@pytest.mark.parametrize("ratio", [parameter_mse_n, spectral_convergence])
def test_ratios_are_relative_to_the_reference(ratio):
    reference, _ = examples(metrics.registry()[ratio.__name__])
    assert (ratio(reference, reference / 2) < ratio(reference / 2, reference) / 1.9).all()
