"""Container recipes (not built here) are equivalent and agree with the other environments."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from rules import scripted_rules

ROOT = Path(__file__).resolve().parents[2]
ENVS = ROOT / "envs"


def docker() -> dict:
    """Base, files, commands and environment of the Docker recipe; other lines raise a KeyError."""
    recipe = {"base": [], "files": [], "commands": [], "environment": []}
    kinds = {"FROM": "base", "COPY": "files", "RUN": "commands", "ENV": "environment"}
    for line in (ENVS / "Dockerfile").read_text().splitlines():
        if line and not line.startswith("#"):
            instruction, rest = line.split(maxsplit=1)
            recipe[kinds[instruction]].append(rest)
    return recipe


def apptainer() -> dict:
    """The same for the Apptainer recipe."""
    recipe = {"base": [], "files": [], "commands": [], "environment": []}
    kinds = {"files": "files", "post": "commands", "environment": "environment", "runscript": None}
    section = "header"
    for line in (ENVS / "apptainer.def").read_text().splitlines():
        if line.startswith("%"):
            section = kinds[line[1:]]
        elif section == "header" and line.startswith("From: "):
            recipe["base"].append(line.removeprefix("From: "))
        elif section == "header":
            assert line in ("", "Bootstrap: docker") or line.startswith("#")
        elif line and section:
            recipe[section].append(line.strip().removeprefix("export "))
    return recipe


def test_both_recipes_are_equivalent():
    assert docker() == apptainer()
    assert all(docker().values())


def test_packages_are_pinned():
    locked, direct = [command for command in docker()["commands"] if "pip install" in command]
    assert locked.endswith("--no-deps --require-hashes --requirement /opt/flowsynth/envs/lock.txt")
    assert direct.endswith("--requirement /opt/flowsynth/envs/requirements.txt")
    assert docker()["files"] == ["envs /opt/flowsynth/envs"]


def test_files_of_the_recipes_exist():
    paths = re.findall(r"/opt/flowsynth/(envs/[\w.]+)", " ".join(docker()["commands"]))
    assert len(paths) == 3
    for path in paths:
        assert (ROOT / path).exists()


def test_python_version_is_that_of_conda():
    """Each Debian release has one version of Python."""
    dependencies = yaml.safe_load((ENVS / "environment.yaml").read_text())["dependencies"]
    python = {"debian:bookworm-slim": "3.11", "debian:trixie-slim": "3.13"}
    assert f"python={python[docker()['base'][0]]}" in dependencies


@pytest.mark.parametrize("read", [docker, apptainer])
def test_commands_are_valid_shell(read):
    script = "\n".join(read()["commands"])
    result = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True)
    assert result.returncode == 0, result.stderr


def test_workflow_uses_the_built_image():
    (image,) = re.findall(r"apptainer build (\S+) envs/apptainer.def", (ENVS / "apptainer.def").read_text())
    assert f'container: "{image}"' in (ROOT / "workflow" / "rules" / "common.smk").read_text()
    assert "*.sif" in (ROOT / ".gitignore").read_text().splitlines()


def test_all_rules_have_the_conda_environment():
    environments = {name: rule["conda_env"] for name, rule in scripted_rules().items()}
    assert len(environments) > 50
    assert set(environments.values()) == {str(ENVS / "environment.yaml")}
