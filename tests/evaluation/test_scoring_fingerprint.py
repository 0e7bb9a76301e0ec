"""The fingerprint depends on the arithmetic of scoring, not on its text: tested on copies of the package."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from flowsynth.evaluation import scoring_fingerprint
from flowsynth.metrics import registry

PACKAGE = Path(scoring_fingerprint.__file__).parents[1]
STORED = {"version": 1, "values": {"mss": [1.0, None, 0.0], "rms": [0.5]}}


def test_has_all_metrics_and_the_features_and_survives_json():
    current = scoring_fingerprint.fingerprint()
    assert current["values"].keys() == registry().keys() | {scoring_fingerprint.FEATURES}
    stored = json.loads(json.dumps(current))
    assert stored == current
    assert scoring_fingerprint.differences(current, stored) == []


def test_no_value_depends_on_rounding():
    """All values are exact or far from 0, so that relative differences are meaningful."""
    for name, values in scoring_fingerprint.fingerprint()["values"].items():
        sizes = [abs(value) for value in values if value is not None]
        assert min(size for size in sizes if size) > 1e4 * scoring_fingerprint.ABSOLUTE, name
        assert len(set(sizes)) > 8, name


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ""),
        ({"mss": [1 + 1e-6, None, 1e-10]}, ""),
        ({"newer": [1.0]}, ""),
        ({"mss": [1 + 1e-5, None, 0.0]}, "mss (1 of 3 values, at most 1.00001, stored 1: relative difference 1.0e-05)"),
        ({"mss": [1.0, None, 1e-7]}, "mss (1 of 3 values, at most 1e-07, stored 0"),
        ({"mss": [1.0, 2.0, 0.1]}, "mss (2 of 3 values, at most 2, stored nan"),
        ({"mss": [None, None, 0.0]}, "mss (1 of 3 values, at most nan, stored 1"),
        ({"mss": [1.0]}, "mss (1 values, stored 3)"),
        ({"mss": None}, "mss (no longer computed)"),
    ],
)
def test_differences(changes: Mapping, expected: str):
    values = {name: numbers for name, numbers in (STORED["values"] | changes).items() if numbers}
    differences = scoring_fingerprint.differences({"version": 1, "values": values}, STORED)
    assert len(differences) == bool(expected)
    assert "".join(differences).startswith(expected)


def test_another_version_is_another_scoring():
    assert scoring_fingerprint.differences(STORED | {"version": 2}, STORED) == ["all metrics (version 2, stored 1)"]


HARMLESS = {
    "metrics/audio.py": {
        "norms = np.linalg": "lengths = np.linalg",
        "norms)": "lengths)",
        "norms[": "lengths[",
        "multi-scale": "multi-resolution",
    },
    "metrics/parameters.py": {
        "Compute the mean squared error of": "Return the mean squared error of",
        "import numpy as np": "import numpy as np  # x",
    },
    "data/features.py": {"available": "n_frames", "Compute the mel power": "Return the mel power"},
    "evaluation/scoring.py": {"reference_mel": "target_mel"},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edits", "changed"),
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
    ids=["text", "metrics", "preprocessing"],
)
def test_edits_of_arithmetic_change_it_and_edits_of_text_do_not(
    tmp_path: Path, edits: Mapping[str, Mapping[str, str]], changed: set[str]
):
    shutil.copytree(PACKAGE, tmp_path / "flowsynth", ignore=shutil.ignore_patterns("__pycache__"))
    for name, changes in edits.items():
        file = tmp_path / "flowsynth" / name
        text = file.read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        file.write_text(text)
    code = "import json; from flowsynth.evaluation.scoring_fingerprint import fingerprint; print(json.dumps(fingerprint()))"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    differences = scoring_fingerprint.differences(json.loads(run.stdout), scoring_fingerprint.fingerprint())
    assert {name.split()[0] for name in differences} == changed
