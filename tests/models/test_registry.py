"""The name of a system says what it does, and what makes no sense is refused."""

import pytest

from flowsynth.models.registry import Step, check, is_control, last_step, model_of, renderings, training_of


@pytest.mark.parametrize(
    ("name", "step", "model", "takes"),
    [
        ("npe_nsf", None, "npe_nsf", 0),
        ("npe_nsf_best16", Step("npe_nsf", "best", 16), "npe_nsf", 16),
        ("npe_nsf_best16_refined64", Step("npe_nsf_best16", "refined", 64), "npe_nsf", 80),
        ("nearest_refined100", Step("nearest", "refined", 100), "nearest", 100),
        ("proxy_corrected16", Step("proxy", "corrected", 16), "proxy", 16),
        ("flow_reg_published", None, "flow_reg_published", 0),
        ("cnn_seed2", Step("cnn", "seed", 2), "cnn", 0),
        ("npe_nsf_seed3_best16", Step("npe_nsf_seed3", "best", 16), "npe_nsf", 16),
        ("a_best", None, "a_best", 0),
        ("a_best0", None, "a_best0", 0),
    ],
)
def test_names_are_taken_apart(name: str, step: Step | None, model: str, takes: int):
    assert last_step(name) == step
    assert model_of(name) == model
    assert renderings(name) == takes


def test_a_control_stays_one_whatever_is_done_with_it():
    assert all(map(is_control, ("nearest", "perturbed_best16", "nearest_refined64", "search")))
    assert not any(map(is_control, ("cnn", "npe_nsf_best16", "cnn_refined64")))


def test_the_best_of_one_answer_is_refused():
    for name in ("cnn_refined8_best16", "a_best4_best4", "a_best4_best4_refined2"):
        with pytest.raises(ValueError, match=f"{name}: only a model has several answers"):
            check(name)
    for name in ("cnn", "a_best4", "a_best4_refined2_refined3", "npe_nsf_seed2_best4"):
        check(name)


def test_what_stands_for_no_synthesizer_is_not_corrected():
    for name in ("cnn_corrected16", "proxy_best4_corrected8", "nearest_corrected6", "proxy_corrected8_corrected8"):
        with pytest.raises(ValueError, match=f"{name}: only proxy can be told what answers sounded like"):
            check(name)
    for name in ("proxy_corrected16", "proxy_seed2_corrected5", "proxy_corrected16_refined64"):
        check(name)


def test_corrections_begin_behind_the_first_answers():
    for name in ("proxy_corrected2", "proxy_corrected2_refined8"):
        with pytest.raises(ValueError, match=f"{name}: the first 2 renderings correct nothing"):
            check(name)


def test_another_seed_is_of_a_model_that_is_trained():
    for name in ("nearest_seed2", "cnn_seed1", "cnn_best4_seed2", "cnn_seed2_seed3"):
        with pytest.raises(ValueError, match=f"{name}: expected the name of a model that is trained"):
            check(name)


def test_which_training_a_system_has():
    names = ("cnn", "npe_nsf_best16", "cnn_seed2", "npe_nsf_seed3_best16", "npe_nsf_seed3_best16_refined64")
    assert [training_of(name) for name in names] == [1, 1, 2, 3, 3]
