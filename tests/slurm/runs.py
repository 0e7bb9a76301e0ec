"""Run workflows on Slurm with the profile of the repository, adapted to the test cluster."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import yaml
from project import ROOT
from waiting import DEADLINE

HERE = Path(__file__).parent


def profile() -> dict:
    """Return the Slurm profile of the repository."""
    return yaml.safe_load((ROOT / "slurm" / "config.yaml").read_text())


def adapt(folder: Path, **changes) -> None:
    """Write the profile, adapted to the test cluster, to a folder."""
    adapted = profile() | {"slurm-init-seconds-before-status-checks": 1, "latency-wait": 20} | changes
    (folder / "slurm").mkdir(exist_ok=True)
    (folder / "slurm" / "config.yaml").write_text(yaml.safe_dump(adapted))


def toy(folder: Path, **changes) -> Path:
    """Create a folder with the toy workflow and the profile."""
    folder.mkdir()
    shutil.copy2(HERE / "toy" / "Snakefile", folder)
    shutil.copy2(ROOT / "workflow" / "rules" / "slurm.smk", folder)
    adapt(folder, **changes)
    return folder


class Run:
    """A running `snakemake --profile slurm TARGETS` in a folder.

    It runs like a background process of a script, ignoring interrupts, and ends with the tests.
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

    def wait(self) -> int:
        """Wait for the end and return the exit status; after a timeout kill the run and fail the test."""
        try:
            return self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {DEADLINE:g} s:\n{self.text}") from None
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill the run and its child processes, if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(DEADLINE)

    @property
    def ended(self) -> bool:
        """Whether the run has ended."""
        return self.process.poll() is not None

    @property
    def text(self) -> str:
        """The output so far."""
        return self.log.read_text()
