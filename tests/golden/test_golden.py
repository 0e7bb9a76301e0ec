"""Nothing changes unnoticed: presets and splits to the letter, renderings and metrics to a tolerance.

Another processor may round differently, so the sound is compared by its spectrogram; that it is the same to the bit on
one machine is another test's matter. If a change is meant: python tests/golden/regenerate.py, and say why in the commit.
"""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

GOLDEN = Path(__file__).parent
STORED = json.loads((GOLDEN / "values.json").read_text())


@pytest.fixture(scope="module")
def computed() -> dict:
    return runpy.run_path(str(GOLDEN / "regenerate.py"))["compute"]()


@pytest.mark.parametrize("what", ["presets", "split"])
def test_to_the_letter(computed: dict, what: str):
    assert computed[what] == STORED[what]


def test_renderings(computed: dict):
    assert computed["render"].keys() == STORED["render"].keys()
    for name, expected in STORED["render"].items():
        np.testing.assert_allclose(computed["render"][name], expected, atol=2e-3, err_msg=name)


def test_metrics(computed: dict):
    assert computed["metrics"].keys() == STORED["metrics"].keys()
    for name, expected in STORED["metrics"].items():
        np.testing.assert_allclose(computed["metrics"][name], expected, rtol=2e-3, err_msg=name)
