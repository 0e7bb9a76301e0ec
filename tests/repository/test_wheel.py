"""The wheel works alone: outside the checkout, without the packages of its extras, where nothing may be written."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from programs import require

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = ("flask", "jinja2", "jsonschema", "pythonosc", "seaborn", "snakemake", "statsmodels", "tabulate", "waitress")
QUICK = ("--samples", "1", "--renders", "0")  # matching itself is tested elsewhere
BLOCK = f"""
import sys
for name in {EXTRAS}:
    sys.modules[name] = None
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the installed wheel and nothing else of this checkout; packages of extras can't be imported."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, folder)
    shutil.copytree(ROOT / "flowsynth", folder / "flowsynth", ignore=shutil.ignore_patterns("__pycache__"))
    pip, options = [sys.executable, "-m", "pip", "--quiet"], ["--no-deps", "--no-index"]
    subprocess.run([*pip, "wheel", *options, "--no-build-isolation", "-w", "dist", "."], cwd=folder, check=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    subprocess.run([*pip, "install", *options, "--target", folder / "site", wheel], check=True)
    (folder / "site" / "sitecustomize.py").write_text(BLOCK)
    return folder / "site"


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of another user with a sound."""
    require("setpriv")
    folder = tmp_path_factory.mktemp("read_only")
    time = np.arange(2 * 22050) / 22050
    soundfile.write(folder / "saw.wav", 0.3 * np.sign(np.sin(2 * np.pi * 220 * time)), 22050)
    folder.chmod(0o555)
    os.chown(folder, 65534, 65534)
    return folder


def flowsynth(site: Path, cwd: Path, *arguments: str | Path) -> subprocess.CompletedProcess:
    """Run the command without the privilege to write into folders of others."""
    command = ["setpriv", "--inh-caps=-all", "--bounding-set=-all", sys.executable, "-m", "flowsynth", *arguments]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(site), "HOME": str(cwd), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=cwd, env=environment, text=True, capture_output=True, timeout=300)


def test_version_and_models_are_listed(installed: Path, read_only: Path):
    assert flowsynth(installed, read_only, "--version").stdout == f"flowsynth {PROJECT['version']}\n"
    run = flowsynth(installed, read_only, "models", "--json")
    assert run.returncode == 0, run.stderr
    entries = json.loads(run.stdout)
    models = {(entry["name"], entry["dataset"]) for entry in entries}
    assert models == {*((name, "amsynth16") for name in ("proxy", "npe_nsf", "flow_reg")), ("vae", "dexed64")}
    assert all(Path(entry["path"]).is_relative_to(installed) for entry in entries)


def test_a_sound_is_matched_from_a_folder_without_write_access(installed: Path, read_only: Path, tmp_path: Path):
    run = flowsynth(installed, read_only, "match", "saw.wav", "--out", tmp_path / "out", "--json", *QUICK)
    assert run.returncode == 0, run.stderr
    (match,) = json.loads(run.stdout)
    assert match["status"] == "ok"
    assert (tmp_path / "out" / match["bank"]).is_file()
    refused = flowsynth(installed, read_only, "match", "saw.wav")
    assert refused.returncode == 1
    assert refused.stderr.endswith("error: matches can't be made, Permission denied: choose another folder by --out\n")


@pytest.mark.parametrize("command", ["explore", "serve"])
def test_a_missing_extra_is_named(installed: Path, read_only: Path, command: str):
    run = flowsynth(installed, read_only, command)
    assert run.returncode == 1
    assert "pip install 'flowsynth[apps]'" in run.stderr
    assert "Traceback" not in run.stderr
