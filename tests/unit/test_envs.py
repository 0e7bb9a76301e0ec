"""The lists of packages say the same."""

import re
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
