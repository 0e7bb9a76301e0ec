"""`make setup` notices an environment that can't be used, and makes it again."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose environment is complete; its interpreter does nothing."""
    folder = tmp_path / "checkout"
    for name in ("Makefile", "pyproject.toml", "envs/requirements.txt", "envs/lock.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    binaries = folder / ".venv" / "bin"
    binaries.mkdir(parents=True)
    python = binaries / "python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    (binaries / "pip").write_text(f"#!{python}\n")
    (folder / ".venv" / "installed").touch()
    return folder


def planned(folder: Path) -> str:
    command = ["make", "--dry-run", "setup"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_a_complete_environment_is_kept(checkout: Path):
    assert "venv" not in planned(checkout)


def test_an_environment_without_interpreter_is_made_again(checkout: Path):
    python = checkout / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(checkout / "removed")
    assert "-m venv --clear .venv" in planned(checkout)


def test_a_moved_environment_is_made_again(checkout: Path):
    moved = checkout.rename(checkout.with_name("moved"))
    assert "-m venv --clear .venv" in planned(moved)


def test_a_new_environment_is_made(checkout: Path):
    shutil.rmtree(checkout / ".venv")
    assert "-m venv .venv" in " ".join(planned(checkout).split())
