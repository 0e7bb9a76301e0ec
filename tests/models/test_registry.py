"""Registry of models: their kinds, found without loading torch."""

import subprocess
import sys

from flowsynth.models.registry import kind


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
        "import sys; from flowsynth.models import registry, systems\n"
        "registry.controls(), registry.surrogates(), registry.human_presets_only()\n"
        "systems.System.parse('vae').validate()\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
