"""What scoring does is told apart from how it is written: on copies of the package, in processes of their own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from flowsynth.evaluation import fingerprint
from flowsynth.metrics import registry

PACKAGE = Path(fingerprint.__file__).parents[1]
SAID = {"version": 1, "values": {"mss": [1.0, None, 0.0], "rms": [0.5]}}


def test_all_metrics_and_the_features_are_in_it_and_it_can_be_kept():
    found = fingerprint.fingerprint()
    assert found["values"].keys() == registry().keys() | {fingerprint.FEATURES}
    assert json.loads(json.dumps(found)) == found
    assert fingerprint.differences(found, json.loads(json.dumps(found))) == []


def test_no_value_hangs_on_rounding():
    """All but the features are exact or far from 0, so that a relative difference says something."""
    for name, values in fingerprint.fingerprint()["values"].items():
        known = [abs(value) for value in values if value is not None]
        assert min(value for value in known if value) > 1e4 * fingerprint.ABSOLUTE, name
        assert len(set(known)) > 8, name


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({}, ""),
        ({"mss": [1 + 1e-6, None, 1e-10]}, ""),
        ({"newer": [1.0]}, ""),
        ({"mss": [1 + 1e-5, None, 0.0]}, "mss (1 of 3 values, the most 1.00001, theirs 1: by 1.0e-05 of it)"),
        ({"mss": [1.0, None, 1e-7]}, "mss (1 of 3 values, the most 1e-07, theirs 0"),
        ({"mss": [1.0, 2.0, 0.1]}, "mss (2 of 3 values, the most 2, theirs nan: defined for one only)"),
        ({"mss": [None, None, 0.0]}, "mss (1 of 3 values, the most nan, theirs 1: defined for one only)"),
        ({"mss": [1.0]}, "mss (1 values, theirs 3)"),
        ({"mss": None}, "mss (which there is no more)"),
    ],
)
def test_differences(now: Mapping, told: str):
    ours = {name: values for name, values in (SAID["values"] | now).items() if values}
    found = fingerprint.differences({"version": 1, "values": ours}, SAID)
    assert len(found) == bool(told)
    assert "".join(found).startswith(told)


def test_another_version_is_another_scoring():
    assert fingerprint.differences(SAID | {"version": 2}, SAID) == ["all metrics (version 2, theirs 1)"]


HARMLESS = {
    "metrics/audio.py": {
        "norms = np.linalg": "lengths = np.linalg",
        "norms)": "lengths)",
        "norms[": "lengths[",
        "Multi-scale": "A",
    },
    "metrics/parameters.py": {
        "Mean squared error of": "The mean squared error of",
        "import numpy as np": "import numpy as np  # x",
    },
    "data/features.py": {"got": "number", "Mel power of arrays": "Power of arrays"},
    "evaluation/scoring.py": {"reference_mel": "heard"},
}


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        (HARMLESS, set()),
        (
            {
                "metrics/audio.py": {"DYNAMICS = 80.0": "DYNAMICS = 79.0"},
                "metrics/parameters.py": {"+ 1e-9)": "+ 1e-4)"},
                "metrics/spectral.py": {"NEAR_SILENT = 1.0": "NEAR_SILENT = 0.7"},
            },
            {"mss", "wmfcc", "parameter_mse_n", "spectral_convergence"},
        ),
        (
            {
                "metrics/audio.py": {"0.020 * sample_rate": "0.021 * sample_rate"},
                "data/features.py": {"floor: float = 1e-3": "floor: float = 1.001e-3"},
                "evaluation/scoring.py": {"Mel(sample_rate)": "Mel(sample_rate, fmin=31)"},
            },
            {"sot", "features", "spectral_convergence", "mel_mse", "log_mel_l1"},
        ),
    ],
    ids=["text", "metrics", "what is before them"],
)
def test_arithmetic_is_told_and_text_is_not(tmp_path: Path, edits: Mapping[str, Mapping[str, str]], told: set[str]):
    shutil.copytree(PACKAGE, tmp_path / "flowsynth", ignore=shutil.ignore_patterns("__pycache__"))
    for name, changes in edits.items():
        file = tmp_path / "flowsynth" / name
        text = file.read_text()
        for before, after in changes.items():
            assert before in text
            text = text.replace(before, after)
        file.write_text(text)
    code = "import json; from flowsynth.evaluation.fingerprint import fingerprint; print(json.dumps(fingerprint()))"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    made = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    found = fingerprint.differences(json.loads(made.stdout), fingerprint.fingerprint())
    assert {name.split()[0] for name in found} == told
