"""The recipes of containers, which are not built in the tests, say the same and agree with the other environments."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ENVS = ROOT / "envs"


def docker() -> dict:
    """Base, files, commands and environment of the recipe for Docker; a line that is none of these is a fault."""
    recipe = {"base": [], "files": [], "commands": [], "environment": []}
    kinds = {"FROM": "base", "COPY": "files", "RUN": "commands", "ENV": "environment"}
    for line in (ENVS / "Dockerfile").read_text().splitlines():
        if line and not line.startswith("#"):
            instruction, rest = line.split(maxsplit=1)
            recipe[kinds[instruction]].append(rest)
    return recipe


def apptainer() -> dict:
    """The same of the recipe for Apptainer."""
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


def test_both_recipes_make_the_same_container():
    assert docker() == apptainer()
    assert all(docker().values())


def test_the_packages_are_the_pinned_ones():
    (install,) = [command for command in docker()["commands"] if "pip install" in command]
    assert "--requirement /opt/flowsynth/envs/requirements.txt" in install
    assert "--constraint /opt/flowsynth/envs/constraints.txt" in install
    assert docker()["files"] == ["envs /opt/flowsynth/envs"]


def test_every_file_that_a_recipe_uses_exists():
    used = re.findall(r"/opt/flowsynth/(envs/[\w.]+)", " ".join(docker()["commands"]))
    assert len(used) == 3
    for path in used:
        assert (ROOT / path).exists()


def test_python_is_that_of_the_conda_environment():
    """Debian's releases each have one version of Python."""
    dependencies = yaml.safe_load((ENVS / "environment.yaml").read_text())["dependencies"]
    python = {"debian:bookworm-slim": "3.11", "debian:trixie-slim": "3.13"}
    assert f"python={python[docker()['base'][0]]}" in dependencies


@pytest.mark.parametrize("read", [docker, apptainer])
def test_the_commands_are_those_of_a_shell(read):
    script = "\n".join(read()["commands"])
    done = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_the_workflow_uses_the_image_that_the_recipe_is_built_to():
    (image,) = re.findall(r"apptainer build (\S+) envs/apptainer.def", (ENVS / "apptainer.def").read_text())
    assert f'container: "{image}"' in (ROOT / "workflow" / "rules" / "common.smk").read_text()
    assert "*.sif" in (ROOT / ".gitignore").read_text().splitlines()
