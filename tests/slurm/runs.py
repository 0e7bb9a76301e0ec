"""Runs through Slurm, by the profile of the repository with what a site changes in it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import yaml
from project import ROOT

HERE = Path(__file__).parent


def profile() -> dict:
    """The profile of the repository."""
    return yaml.safe_load((ROOT / "slurm" / "config.yaml").read_text())


def adapt(folder: Path, **changes) -> None:
    """Give a folder the profile, with the particulars of the test cluster and other changes."""
    site = profile() | {"slurm-init-seconds-before-status-checks": 1, "latency-wait": 20} | changes
    (folder / "slurm").mkdir(exist_ok=True)
    (folder / "slurm" / "config.yaml").write_text(yaml.safe_dump(site))


def toy(folder: Path, **changes) -> Path:
    """A folder with the workflow of small jobs and the profile."""
    folder.mkdir()
    shutil.copy2(HERE / "toy" / "Snakefile", folder)
    shutil.copy2(ROOT / "workflow" / "rules" / "slurm.smk", folder)
    adapt(folder, **changes)
    return folder


class Run:
    """`snakemake --profile slurm TARGETS`, in a folder, running until it is waited for.

    It runs as in the background of a script, where interrupts are ignored, and ends with the tests, however they end.
    """

    BACKGROUND = ("setpriv", "--pdeathsig=KILL", "env", "--ignore-signal=INT")

    def __init__(self, folder: Path, *arguments: str):
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self.log = folder / "run.log"
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [*self.BACKGROUND, sys.executable, "-m", "snakemake", "--profile", "slurm", *arguments],
                cwd=folder,
                env=environment | {"PYTHONPATH": str(HERE / "polling")},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self, timeout: float = 300) -> int:
        """Wait for its end and give its exit status; one that takes longer is killed and fails the test."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s:\n{self.text}") from None
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill it, with the commands it has started, if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return self.log.read_text()
