"""The lists of packages say the same."""

import re
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
ENVS = ROOT / "envs"


def pins(lines) -> dict[str, str]:
    found = (re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+)", line.strip()) for line in lines)
    return {m[1].lower().replace("_", "-"): m[2] for m in found if m}


def test_the_conda_environment_has_the_pins_of_pip():
    conda = yaml.safe_load((ENVS / "environment.yaml").read_text())["dependencies"][-1]["pip"]
    assert pins(conda) == pins((ENVS / "requirements.txt").read_text().splitlines())


def test_the_constraints_agree_with_the_pins():
    constraints = pins((ENVS / "constraints.txt").read_text().splitlines())
    direct = pins((ENVS / "requirements.txt").read_text().splitlines())
    differing = {name: (pin, constraints[name]) for name, pin in direct.items() if constraints.get(name, pin) != pin}
    assert differing == {}


def test_every_dependency_of_the_package_is_pinned():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[<>=]", name)[0] for name in project["dependencies"]}
    assert wanted <= pins((ENVS / "requirements.txt").read_text().splitlines()).keys()


def packages(folder: Path, plugin: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run the script where nothing is installed but perhaps the synthesizer, and nothing can be."""
    script = (ENVS / "packages.sh").read_text().replace("/usr/lib/vst/amsynth_vst.so", str(plugin))
    (folder / "packages.sh").write_text(script.replace("/usr/share/", f"{folder}/"))
    return subprocess.run(
        ["/bin/sh", folder / "packages.sh"], env={"PATH": str(folder), **environment}, text=True, capture_output=True
    )


def test_without_the_other_sounds_the_run_goes_on_and_says_what_is_left_out(tmp_path: Path):
    (tmp_path / "plugin.so").touch()
    done = packages(tmp_path, tmp_path / "plugin.so")
    assert done.returncode == 0
    assert "note: there is no apt-get" in done.stderr
    assert "Run: sudo apt-get install timgm6mb-soundfont fluidsynth sonic-pi-samples klettres-data" in done.stderr


def test_without_the_synthesizer_nothing_goes_on(tmp_path: Path):
    done = packages(tmp_path, tmp_path / "plugin.so")
    assert done.returncode == 1
    assert "error: there is no apt-get" in done.stderr
    assert "Run: sudo apt-get install amsynth" in done.stderr


def test_the_built_in_synthesizer_needs_no_package(tmp_path: Path):
    done = packages(tmp_path, tmp_path / "plugin.so", SYNTH="faust")
    assert done.returncode == 0
    assert "amsynth" not in done.stderr
    assert "sounds from outside" in done.stderr
