"""Regression test against golden values: presets and splits exactly, renderings and metrics within a tolerance.

Processors round differently, so audio is compared by its spectrogram; bit-identity on one machine is tested elsewhere.
After an intended change run python tests/golden/regenerate.py, and give the reason in the commit.
"""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parent
STORED = json.loads((GOLDEN / "values.json").read_text())


@pytest.fixture(scope="module")
def computed() -> dict:
    return runpy.run_path(str(GOLDEN / "regenerate.py"))["compute"]()


@pytest.mark.parametrize("group", ["presets", "split"])
def test_presets_and_splits_are_identical(computed: dict, group: str):
    assert computed[group] == STORED[group]


def test_renderings_are_close(computed: dict):
    assert computed["render"].keys() == STORED["render"].keys()
    for name, expected in STORED["render"].items():
        np.testing.assert_allclose(computed["render"][name], expected, atol=2e-3, err_msg=name)


def test_metrics_are_close(computed: dict):
    assert computed["metrics"].keys() == STORED["metrics"].keys()
    for name, expected in STORED["metrics"].items():
        np.testing.assert_allclose(computed["metrics"][name], expected, rtol=2e-3, err_msg=name)
