"""Names of systems: what they mean, and which are rejected."""

import pytest

from flowsynth.models.systems import Step, System


@pytest.mark.parametrize(
    ("name", "model", "steps", "renderings"),
    [
        ("npe_nsf", "npe_nsf", [], 0),
        ("npe_nsf_best16", "npe_nsf", [("best", 16)], 16),
        ("npe_nsf_best16_refined64", "npe_nsf", [("best", 16), ("refined", 64)], 80),
        ("nearest_refined100", "nearest", [("refined", 100)], 100),
        ("proxy_corrected16", "proxy", [("corrected", 16)], 16),
        ("flow_reg_published", "flow_reg_published", [], 0),
        ("npe_nsf_median64", "npe_nsf", [("median", 64)], 0),
        ("mdn_seed2_ranked256_refined64", "mdn", [("seed", 2), ("ranked", 256), ("refined", 64)], 64),
        ("cnn_seed2", "cnn", [("seed", 2)], 0),
        ("npe_nsf_seed3_best16", "npe_nsf", [("seed", 3), ("best", 16)], 16),
        ("a_best", "a_best", [], 0),
        ("a_best0", "a_best0", [], 0),
    ],
)
def test_names_are_parsed_into_model_and_steps(name: str, model: str, steps: list[tuple], renderings: int):
    system = System.parse(name)
    assert system == System(name, model, tuple(Step(*step) for step in steps))
    assert system.renderings == renderings


def test_lineage_is_from_the_model_to_the_system():
    assert System.parse("cnn").lineage == ("cnn",)
    assert System.parse("npe_nsf_seed3_best16").lineage == ("npe_nsf", "npe_nsf_seed3", "npe_nsf_seed3_best16")


def test_a_system_is_a_control_if_its_model_is():
    for name in ("nearest", "perturbed_best16", "nearest_refined64", "search"):
        assert System.parse(name).is_control, name
    for name in ("cnn", "npe_nsf_best16", "cnn_refined64", "a_prediction_file"):
        assert not System.parse(name).is_control, name


def test_best_of_n_needs_a_model():
    for name in ("cnn_refined8_best16", "a_best4_best4", "a_best4_best4_refined2"):
        with pytest.raises(ValueError, match=f"{name}: best of N"):
            System.parse(name).validate()
    for name in ("cnn", "a_best4", "a_best4_refined2_refined3", "npe_nsf_seed2_best4"):
        System.parse(name).validate()


def test_decisions_need_draws_of_a_model():
    for name in ("npe_nsf_median64_mean64", "cnn_median64", "npe_nsf_best4_medoid8", "npe_nsf_mode1"):
        with pytest.raises(ValueError, match=rf"{name}: .*(draw|several)"):
            System.parse(name).validate()
    for name in ("flow_matching_mode16", "flow_cond_mode64"):
        with pytest.raises(ValueError, match=f"{name}: a mode needs a model with a density, one of flow_dis, "):
            System.parse(name).validate()
    for name in ("nearest_medoid64", "random_median64", "proxy_mean64", "nearest_ranked64"):
        with pytest.raises(ValueError, match=f"{name}: .* are no draws"):
            System.parse(name).validate()
    for name in ("npe_nsf_mode64", "flow_matching_median64", "npe_nsf_seed2_ranked256", "flow_reg_mean64_refined16"):
        System.parse(name).validate()


def test_corrections_need_a_surrogate_or_draws():
    for name in ("cnn_corrected16", "proxy_best4_corrected8", "nearest_corrected6", "proxy_corrected8_corrected8"):
        with pytest.raises(ValueError, match=rf"{name}: .*\(proxy\)"):
            System.parse(name).validate()
    for name in ("proxy_corrected16", "proxy_seed2_corrected5", "proxy_corrected16_refined64", "npe_nsf_corrected16"):
        System.parse(name).validate()


def test_corrections_start_after_the_initial_candidates():
    for name in ("proxy_corrected2", "proxy_corrected2_refined8"):
        with pytest.raises(ValueError, match=f"{name}: the first 2 renderings"):
            System.parse(name).validate()


def test_a_seed_needs_a_trained_model():
    for name in ("nearest_seed2", "cnn_seed1", "cnn_best4_seed2", "cnn_seed2_seed3"):
        with pytest.raises(ValueError, match=f"{name}: expected _seed2 or higher"):
            System.parse(name).validate()


def test_seed_is_the_number_of_the_training_or_1():
    names = ("cnn", "npe_nsf_best16", "cnn_seed2", "npe_nsf_seed3_best16", "npe_nsf_seed3_best16_refined64")
    assert [System.parse(name).seed for name in names] == [1, 1, 2, 3, 3]
