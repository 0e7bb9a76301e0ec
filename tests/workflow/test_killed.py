"""A job or a run that is killed in its middle: the same command again ends in the same files as an undisturbed run."""

import hashlib
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from project import Project


def start_and_stop(
    project: Project, targets: list[str], ready: Callable[[], bool], whom: str, how: int = signal.SIGKILL
) -> list[psutil.Process]:
    """Start a run, and when `ready` send a signal to its jobs, to its Snakemake or to everything; give its processes."""
    with subprocess.Popen(
        ["env", "--default-signal=INT", *project.command(*targets)],  # it is ignored where tests run in the background
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as run:
        deadline = time.monotonic() + 300
        while not ready():
            assert run.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        snakemake = psutil.Process(run.pid)
        children = snakemake.children(recursive=True)
        jobs = [child for child in children if is_job(child)]
        assert jobs
        for process in {"jobs": jobs, "snakemake": [snakemake], "everything": [snakemake, *children]}[whom]:
            process.send_signal(how)
        assert run.wait(180) != 0
    return children


def is_job(process: psutil.Process) -> bool:
    try:
        return any("/.snakemake/scripts/" in word for word in process.cmdline())
    except psutil.NoSuchProcess:
        return False


def contents(folder: Path) -> dict[str, str]:
    """Hashes of all products; logs, timings and what is left of unfinished work are not among them."""
    ignored = {"logs", "benchmarks", "progress", "cost.csv"}
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not ignored & set(path.relative_to(folder).parts)
    }


def rendering(audio: Path) -> bool:
    """Whether a shard is written, and so far that there is something to lose."""
    return any(size(path) > 1e6 for path in audio.glob(".*.tmp"))


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # it has just been renamed
        return 0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_snakemake_that_is_stopped_alone(finished: Project, copy: Project, how: signal.Signals):
    """Its jobs do not outlive it, and the same command again is not disturbed by what is left of them."""
    shutil.rmtree(copy.results)
    model = copy.results / "grouped" / "fold0" / "cnn"
    command = ["--nolock", str((model / "scores.csv").relative_to(copy.folder))]  # as make reproduce does
    log = copy.results / "logs" / "grouped" / "fold0" / "cnn" / "train.log"
    for ready in (lambda: rendering(copy.results / "audio"), log.exists):
        left = start_and_stop(copy, command, ready, "snakemake", how)
        psutil.wait_procs(left, timeout=10)
        assert [process for process in left if process.is_running()] == []
    run = copy.snakemake(*command)
    assert run.returncode == 0, run.stdout
    made, expected = contents(copy.results), contents(finished.results)
    assert made == {name: expected[name] for name in made}
    assert {f"grouped/fold0/cnn/{name}" for name in ("checkpoint.pt", "predictions.h5", "scores.csv")} <= made.keys()
    assert list(copy.results.rglob(".*.tmp")) == []


def test_a_killed_render(finished: Project, copy: Project):
    shutil.rmtree(copy.results)
    audio = copy.results / "audio"
    targets = [f"results/tiny/amsynth16/{name}" for name in ("features/0.h5", "features/1.h5", "split/grouped.csv")]
    start_and_stop(copy, targets, lambda: rendering(audio), "jobs")
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
    start_and_stop(copy, [str((model / "checkpoint.pt").relative_to(copy.folder))], last.exists, "everything")
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
