"""Names of systems: what they mean, and which are rejected."""

import subprocess
import sys

import pytest

from flowsynth.models.registry import (
    Step,
    has_latent,
    is_control,
    kind,
    last_step,
    model_of,
    render_count,
    training_number,
    validate,
)


@pytest.mark.parametrize(
    ("name", "step", "model", "renderings"),
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
def test_names_are_split_into_steps(name: str, step: Step | None, model: str, renderings: int):
    assert last_step(name) == step
    assert model_of(name) == model
    assert render_count(name) == renderings


def test_a_system_is_a_control_if_its_model_is():
    assert all(map(is_control, ("nearest", "perturbed_best16", "nearest_refined64", "search")))
    assert not any(map(is_control, ("cnn", "npe_nsf_best16", "cnn_refined64", "a_prediction_file")))


def test_a_system_has_a_latent_if_its_model_has():
    assert all(map(has_latent, ("vae", "flow_reg_best16")))
    assert not any(map(has_latent, ("cnn", "npe_nsf_best16", "nearest", "a_prediction_file")))


def test_the_kind_of_a_model_is_its_folder():
    kinds = {name: kind(name) for name in ("oracle", "cnn", "vae", "npe_nsf", "proxy", "a_prediction_file")}
    assert kinds == {
        "oracle": "controls",
        "cnn": "regression",
        "vae": "autoencoders",
        "npe_nsf": "density",
        "proxy": "surrogates",
        "a_prediction_file": None,
    }


def test_the_registry_does_not_load_torch():
    program = (
        "import sys; from flowsynth.models import registry\n"
        "registry.controls(), registry.surrogates(), registry.human_presets_only(), registry.has_latent('vae')\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_best_of_n_needs_a_model():
    for name in ("cnn_refined8_best16", "a_best4_best4", "a_best4_best4_refined2"):
        with pytest.raises(ValueError, match=f"{name}: best of N"):
            validate(name)
    for name in ("cnn", "a_best4", "a_best4_refined2_refined3", "npe_nsf_seed2_best4"):
        validate(name)


def test_corrections_need_a_surrogate():
    for name in ("cnn_corrected16", "proxy_best4_corrected8", "nearest_corrected6", "proxy_corrected8_corrected8"):
        with pytest.raises(ValueError, match=rf"{name}: .*\(proxy\)"):
            validate(name)
    for name in ("proxy_corrected16", "proxy_seed2_corrected5", "proxy_corrected16_refined64"):
        validate(name)


def test_corrections_start_after_the_initial_candidates():
    for name in ("proxy_corrected2", "proxy_corrected2_refined8"):
        with pytest.raises(ValueError, match=f"{name}: the first 2 renderings"):
            validate(name)


def test_a_seed_needs_a_trained_model():
    for name in ("nearest_seed2", "cnn_seed1", "cnn_best4_seed2", "cnn_seed2_seed3"):
        with pytest.raises(ValueError, match=f"{name}: expected _seed2 or higher"):
            validate(name)


def test_training_number_is_that_of_the_seed_or_1():
    names = ("cnn", "npe_nsf_best16", "cnn_seed2", "npe_nsf_seed3_best16", "npe_nsf_seed3_best16_refined64")
    assert [training_number(name) for name in names] == [1, 1, 2, 3, 3]
