"""Package lists agree, and the installation script reports what it cannot install."""

import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
ENVS = ROOT / "envs"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins(lines) -> dict[str, str]:
    matches = (re.match(r"([A-Za-z0-9._-]+)==(\S+)", line) for line in lines)
    return {m[1].lower().replace("_", "-"): m[2] for m in matches if m}


def locked() -> dict[str, str]:
    return pins((ENVS / "lock.txt").read_text().splitlines())


def test_conda_and_pip_have_the_same_pins():
    conda = yaml.safe_load((ENVS / "environment.yaml").read_text())["dependencies"][-1]["pip"]
    assert pins(conda) == pins((ENVS / "requirements.txt").read_text().splitlines())


def test_the_lock_agrees_with_the_pins():
    direct = pins((ENVS / "requirements.txt").read_text().splitlines())
    assert {name for name in direct if name not in locked()} == {"torch"}
    assert {name: pin for name, pin in direct.items() if locked().get(name, pin) != pin} == {}


def test_the_lock_is_complete():
    """It has every installed package that the direct ones need, except torch."""
    needed, left = set(), set(pins((ENVS / "requirements.txt").read_text().splitlines()))
    while left:
        name = left.pop()
        needed.add(name)
        requirements = map(Requirement, metadata.requires(name) or ())
        wanted = {
            r.name.lower().replace("_", "-") for r in requirements if not r.marker or r.marker.evaluate({"extra": ""})
        }
        left |= wanted - needed
    assert {name for name in needed - {"torch"} if name.replace(".", "-") not in locked()} == set()


def test_every_dependency_is_pinned():
    extras = PROJECT["optional-dependencies"].values()
    dependencies = {re.split(r"[<>=]", name)[0] for group in (PROJECT["dependencies"], *extras) for name in group}
    assert dependencies <= pins((ENVS / "requirements.txt").read_text().splitlines()).keys()


def test_pinned_packages_support_the_oldest_python():
    """Some need a later patch release than distributions have."""
    oldest = PROJECT["requires-python"].removeprefix(">=") + ".0"
    required = {d.name: d.metadata.get("Requires-Python") or "" for d in metadata.distributions()}
    assert {name: text for name, text in required.items() if not SpecifierSet(text).contains(oldest)} == {}


def run_packages_script(folder: Path, plugin: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run the script without apt-get, with no package installed except perhaps the synthesizer."""
    script = (ENVS / "packages.sh").read_text().replace("/usr/lib/vst/amsynth_vst.so", str(plugin))
    (folder / "packages.sh").write_text(
        script.replace("/usr/share/", f"{folder}/").replace("/etc/slurm/", f"{folder}/")
    )
    command = ["/bin/sh", folder / "packages.sh", *arguments]
    return subprocess.run(command, env={"PATH": str(folder), **environment}, text=True, capture_output=True)


def test_missing_sound_collections_are_a_note(tmp_path: Path):
    (tmp_path / "plugin.so").touch()
    result = run_packages_script(tmp_path, tmp_path / "plugin.so")
    assert result.returncode == 0
    assert "note: there is no apt-get" in result.stderr
    assert "Run: sudo apt-get install timgm6mb-soundfont fluidsynth sonic-pi-samples klettres-data" in result.stderr


def test_missing_synthesizer_is_an_error(tmp_path: Path):
    result = run_packages_script(tmp_path, tmp_path / "plugin.so")
    assert result.returncode == 1
    assert "error: there is no apt-get" in result.stderr
    assert "Run: sudo apt-get install amsynth" in result.stderr


def test_built_in_synthesizer_needs_no_package(tmp_path: Path):
    result = run_packages_script(tmp_path, tmp_path / "plugin.so", SYNTH="faust")
    assert result.returncode == 0
    assert "amsynth" not in result.stderr
    assert "Whatever needs these packages is left out" in result.stderr


def test_packages_of_tests_are_installed_on_request_only(tmp_path: Path):
    (tmp_path / "plugin.so").touch()
    assert "chromium" not in run_packages_script(tmp_path, tmp_path / "plugin.so").stderr
    assert "chromium chromium-driver slurmctld" in run_packages_script(tmp_path, tmp_path / "plugin.so", "tests").stderr


def test_slurm_is_not_installed_beside_another_configuration(tmp_path: Path):
    (tmp_path / "plugin.so").touch()
    (tmp_path / "slurm.conf").touch()
    message = run_packages_script(tmp_path, tmp_path / "plugin.so", "tests").stderr
    assert "chromium" in message
    assert "slurm" not in message
