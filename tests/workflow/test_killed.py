"""A job that is killed in its middle: the same command again ends in the same files as an undisturbed run."""

import hashlib
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from project import Project


def start_and_kill(project: Project, targets: list[str], ready: Callable[[], bool], everything: bool) -> None:
    """Start a run, and when `ready` kill its jobs with SIGKILL, or the workflow itself too."""
    with subprocess.Popen(
        project.command(*targets),
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as run:
        deadline = time.monotonic() + 180
        while not ready():
            assert run.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        children = psutil.Process(run.pid).children(recursive=True)
        jobs = [child for child in children if any("/.snakemake/scripts/" in word for word in child.cmdline())]
        assert jobs
        for process in [psutil.Process(run.pid), *children] if everything else jobs:
            process.send_signal(signal.SIGKILL)
        assert run.wait(60) != 0


def contents(folder: Path) -> dict[str, str]:
    """Hashes of all products; logs, timings and what is left of unfinished work are not among them."""
    ignored = {"logs", "benchmarks", "progress", "cost.csv"}
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not ignored & set(path.relative_to(folder).parts)
    }


def test_a_killed_render(finished: Project, copy: Project):
    shutil.rmtree(copy.results)
    audio = copy.results / "audio"
    targets = [f"results/tiny/amsynth16/{name}" for name in ("features/0.h5", "features/1.h5", "split/grouped.csv")]
    start_and_kill(copy, targets, lambda: any(p.stat().st_size > 3e6 for p in audio.glob(".*.tmp")), everything=False)
    run = copy.snakemake(*targets)
    assert run.returncode == 0, run.stdout
    made, expected = contents(copy.results), contents(finished.results)
    assert made == {name: expected[name] for name in made}
    assert {"audio/0.h5", "audio/1.h5", "features/0.h5", "features/1.h5", "split/grouped.csv"} <= made.keys()


def test_a_killed_training_goes_on(finished: Project, copy: Project):
    model = copy.results / "grouped" / "fold0" / "cnn"
    shutil.rmtree(model)
    copy.configure(budgets=_longer(60))
    finished_long = _undisturbed(copy, model)
    shutil.rmtree(model)
    last = model / "progress" / "last.ckpt"
    start_and_kill(copy, [str((model / "checkpoint.pt").relative_to(copy.folder))], last.exists, everything=True)
    assert last.exists()
    copy.snakemake("--unlock")
    again = copy.snakemake(str((model / "checkpoint.pt").relative_to(copy.folder)))
    assert again.returncode == 0, again.stdout
    assert {name: contents(model)[name] for name in finished_long} == finished_long


def _longer(epochs: int) -> dict:
    from project import TINY

    return {"tiny": {**TINY["budgets"]["tiny"], "epochs": epochs}}


def _undisturbed(project: Project, model: Path) -> dict[str, str]:
    run = project.snakemake(str((model / "checkpoint.pt").relative_to(project.folder)))
    assert run.returncode == 0, run.stdout
    return contents(model)
