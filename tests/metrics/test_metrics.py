"""The contract of every metric, by whatever name it is found, and the values that the ones there are must give."""

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

WHOLE = "over the whole test part"  # in the definition of a metric that depends on all items together


def for_each(listed: list[Metric]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("metric", listed, ids=lambda metric: metric.name)


each_metric = for_each(METRICS)


def examples(metric: Metric, items: int = ITEMS, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A reference and an estimate as a benchmark has them: float32, of any size, none of them silent."""
    rng = np.random.default_rng(seed)
    make = {
        "parameters": lambda: rng.random((items, 16)),
        "spectral": lambda: 10 ** rng.uniform(-5, 3, (items, 16, 20)),
        "audio": lambda: (
            rng.uniform(-0.5, 0.5, (items, RATE // 2)) * rng.random((items, 10)).repeat(RATE // 20, axis=1)
        ),
    }[metric.domain]
    return make().astype(np.float32), make().astype(np.float32)


def measure(metric: Metric, reference: np.ndarray, estimate: np.ndarray) -> np.ndarray:
    """Call a metric as it is called when scores are made: metrics of sounds are told the sample rate."""
    return metric.function(reference, estimate, *([RATE] if metric.domain == "audio" else []))


@pytest.fixture
def unchecked() -> Iterator[None]:
    """As in use, where nobody checks the shapes but the metric itself."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)


def test_the_registry_holds_the_metrics_of_every_module_once():
    modules = [importlib.import_module(f"flowsynth.metrics.{m.name}") for m in pkgutil.iter_modules(metrics.__path__)]
    listed = [metric for module in modules for metric in module.METRICS]
    assert len(METRICS) == len(listed) > 0
    assert {id(metric) for metric in METRICS} == {id(metric) for metric in listed}


def test_names_and_labels_are_unique():
    assert len({metric.name for metric in METRICS}) == len({metric.label for metric in METRICS}) == len(METRICS)
    assert all(name == metric.name for name, metric in metrics.registry().items())


@each_metric
def test_the_record_is_complete(metric: Metric):
    for field in ("name", "label", "definition", "source", "silence"):
        assert getattr(metric, field).strip(), field
    assert metric.better in ("lower", "higher")
    assert metric.domain in ("parameters", "spectral", "audio")
    assert (metric.gain == "not applicable") == (metric.domain == "parameters")
    assert metric.range[0] < metric.range[1]
    assert metric.perfect == metric.range[0 if metric.better == "lower" else 1]
    assert metric.function.__doc__


@each_metric
def test_the_reference_comes_first(metric: Metric):
    assert list(inspect.signature(metric.function).parameters)[:2] == ["reference", "estimate"]


@each_metric
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_identical_is_perfect_to_the_last_bit(metric: Metric, dtype: type):
    reference = examples(metric)[0].astype(dtype)
    assert measure(metric, reference, reference.copy()).tolist() == [metric.perfect] * ITEMS


@each_metric
@pytest.mark.parametrize("items", [1, 2, 5])
def test_there_is_one_value_an_item_in_the_range(metric: Metric, items: int):
    values = measure(metric, *examples(metric, items))
    assert values.shape == (items,)
    assert np.isfinite(values).all()
    assert (values >= metric.range[0]).all()
    assert (values <= metric.range[1]).all()
    assert (values != metric.perfect).all()


@each_metric
def test_a_closer_estimate_is_better(metric: Metric):
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
def test_arrays_of_different_shapes_are_refused(metric: Metric, unchecked: None):
    reference, estimate = examples(metric)
    for other in (estimate[:-1], estimate[:1], estimate[..., :-1], estimate[..., :1]):
        with pytest.raises(ValueError, match=r"reference has the shape .* the estimate"):
            measure(metric, reference, other)


@each_metric
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused_and_it_is_said_whose(metric: Metric, wrong: float):
    reference, estimate = examples(metric)
    spoilt = estimate.copy()
    spoilt.flat[7] = wrong
    with pytest.raises(ValueError, match="the estimate is not finite"):
        measure(metric, reference, spoilt)
    with pytest.raises(ValueError, match="the reference is not finite"):
        measure(metric, spoilt, reference)


@each_metric
def test_a_value_depends_on_its_own_item_unless_the_definition_says_otherwise(metric: Metric):
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
def test_the_arrays_are_left_as_they_were(metric: Metric):
    reference, estimate = examples(metric)
    before = reference.copy(), estimate.copy()
    measure(metric, reference, estimate)
    np.testing.assert_array_equal(reference, before[0])
    np.testing.assert_array_equal(estimate, before[1])


@each_metric
def test_a_copy_at_another_level_counts_if_the_metric_is_aware_of_gain(metric: Metric):
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
def test_silence_gives_a_value_of_the_range_or_none(metric: Metric):
    reference, estimate = examples(metric)
    silence = np.zeros_like(reference)
    for pair in [(silence, estimate), (reference, silence), (silence, silence)]:
        values = measure(metric, *pair)
        inside = (values >= metric.range[0]) & (values <= metric.range[1])
        assert (inside | np.isnan(values)).all()
        assert "NaN" in metric.silence or inside.all()


@for_each([metric for metric in METRICS if WHOLE not in metric.definition])
def test_one_silent_item_leaves_the_others_as_they_are(metric: Metric):
    reference, estimate = examples(metric)
    expected = measure(metric, reference, estimate)
    reference[2] = 0
    kept = [0, 1, 3, 4]
    np.testing.assert_allclose(measure(metric, reference, estimate)[kept], expected[kept], rtol=1e-12)


def power(*rows: list[float]) -> np.ndarray:
    """Spectrograms of one band each."""
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


def test_parameter_mse_n_of_references_that_are_zero_is_finite():
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


def test_spectral_convergence_is_not_defined_for_a_near_silent_reference():
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


def test_log_mel_l1_hardly_sees_what_is_below_the_floor():
    assert log_mel_l1(power([0, 1]), power([1e-6, 1]))[0] < 1e-3
    assert log_mel_l1(power([0, 1]), power([1e-2, 1]))[0] > 1


@pytest.mark.parametrize("distance", [parameter_mse, mel_mse, log_mel_l1])
def test_a_distance_is_the_same_both_ways(distance):
    metric = metrics.registry()[distance.__name__]
    reference, estimate = examples(metric)
    np.testing.assert_allclose(distance(reference, estimate), distance(estimate, reference), rtol=1e-6)


@pytest.mark.parametrize("ratio", [parameter_mse_n, spectral_convergence])
def test_a_ratio_is_to_the_reference(ratio):
    reference, _ = examples(metrics.registry()[ratio.__name__])
    assert (ratio(reference, reference / 2) < ratio(reference / 2, reference) / 1.9).all()
