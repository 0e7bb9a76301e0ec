"""The commands of README work as printed: in order, in a fresh folder; those of long runs are planned only."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path

import forks
import pytest
from programs import require
from project import ROOT
from waiting import DEADLINE, wait_until

README = (ROOT / "README.md").read_text()
COMMANDS = [
    line.split("  #")[0].strip()
    for block in re.findall(r"^```\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git tracks, with the installed environment."""
    folder = tmp_path_factory.mktemp("readme") / "checkout"
    for name in subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def run(folder: Path, command: str, **options) -> subprocess.CompletedProcess:
    """Run a command of README; Snakemake plans only, in a forked process, and make runs nothing."""
    if command.startswith("snakemake "):
        arguments = [forks.SNAKEMAKE, *shlex.split(command)[1:], "--dry-run"]
        return forks.server().run(arguments, folder, environment(folder), DEADLINE)
    if command.startswith("make "):
        command += " --dry-run"
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment(folder), text=True, capture_output=True, timeout=DEADLINE
    )


def explore(folder: Path, command: str) -> None:
    """Run the command that serves the explorer, open its page, and interrupt it."""
    output = folder / "explore.log"
    with output.open("w") as file:
        process = subprocess.Popen(
            shlex.split(f"env --default-signal=INT {command} --port 0"),
            cwd=folder,
            env=environment(folder),
            stderr=file,
        )

    def address() -> str | None:
        assert process.poll() is None, output.read_text()
        match = re.search(r"http://127\.0\.0\.1:\d+/", output.read_text())
        return match and match[0]

    try:
        with urllib.request.urlopen(wait_until(address, "the address of the explorer")) as page:
            assert page.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 0, output.read_text()
    finally:
        process.kill()


def environment(folder: Path) -> dict[str, str]:
    """Environment variables after the command that activates the virtual environment."""
    return os.environ | {"PYTHONPATH": str(folder), "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"}


def test_readme_has_the_expected_commands():
    programs = [" ".join(command.split()[:2]) for command in COMMANDS]
    assert programs[:4] == ["make setup", ". .venv/bin/activate", "flowsynth match", "flowsynth explore"]
    assert "snakemake -c2" in programs


@pytest.mark.slow
def test_every_command_works_in_order(checkout: Path):
    require("/usr/share/sonic-pi/samples")
    (checkout / "predictions.csv").write_text("fold,item\n")
    for command in COMMANDS:
        if command.endswith(" explore"):
            explore(checkout, command)
            continue
        options = " --renders 0" if command.startswith("flowsynth match ") else ""  # the search takes a while
        result = run(checkout, command + options)
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr or ''}"
    assert {path.suffix for path in (checkout / "matches").iterdir()} >= {".bank", ".wav", ".png", ".csv"}
