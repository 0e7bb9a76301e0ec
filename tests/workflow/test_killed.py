"""Interrupted jobs and runs: repeating the command gives the files of an uninterrupted run."""

import hashlib
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from project import TINY, Project
from waiting import DEADLINE, children, command_line, has_ended, send_signal, wait_until

from flowsynth.core import integrity

SHARD = "results/tiny/amsynth16/audio/1.h5"


def start_and_stop(
    project: Project, targets: list[str], ready: Callable[[], bool], receivers: str, number: int = signal.SIGKILL
) -> list[psutil.Process]:
    """Start a run, and once `ready` send a signal to its jobs, Snakemake or everything; return the children."""
    with subprocess.Popen(
        ["env", "--default-signal=INT,HUP", *project.command(*targets)],  # background processes ignore it by default
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as run:

        def jobs() -> list[psutil.Process]:
            assert run.poll() is None, "the run ended before it could be stopped"
            descendants = children(run.pid, recursive=True) if ready() else []
            return [process for process in descendants if "/.snakemake/scripts/" in command_line(process)]

        running_jobs = wait_until(jobs, "a job is running that the test can stop")
        snakemake, descendants = psutil.Process(run.pid), children(run.pid, recursive=True)
        everything = [snakemake, *descendants]
        for process in {"jobs": running_jobs, "snakemake": [snakemake], "everything": everything}[receivers]:
            send_signal(process, number)
        assert run.wait(DEADLINE) != 0
    return descendants


def contents(folder: Path) -> dict[str, str]:
    """Hash all result files, without logs, timings and progress files."""
    ignored = {"logs", "benchmarks", "progress", "cost.csv"}
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not ignored & set(path.relative_to(folder).parts)
    }


def delete_shard(project: Project) -> None:
    """Delete the audio of a shard, and its checksum."""
    for path in (project.folder / SHARD, integrity.checksum_path(project.folder / SHARD)):
        path.unlink()


def is_rendering(audio: Path) -> bool:
    """Return whether a shard has been partly written."""
    return any(size(path) > 1e6 for path in audio.glob(".*.tmp"))


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # renamed in the meantime
        return 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_snakemake_stopped_while_rendering_leaves_no_jobs(finished: Project, copy: Project, number: signal.Signals):
    """And no lock, unless it is killed."""
    delete_shard(copy)
    targets = ["--nolock", SHARD] if number == signal.SIGKILL else [SHARD]
    stop_and_resume(finished, copy, targets, lambda: is_rendering(copy.results / "audio"), number)


def test_snakemake_interrupted_while_training_leaves_no_jobs(finished: Project, copy: Project):
    model = copy.results / "grouped" / "fold0" / "cnn"
    for name in ("checkpoint.pt", "history.csv", "predictions.h5", "audio.h5", "scores.csv"):
        for path in model.glob(f"{name}*"):
            path.unlink()
    log = copy.results / "logs" / "grouped" / "fold0" / "cnn" / "train.log"
    log.unlink()
    stop_and_resume(finished, copy, [str((model / "scores.csv").relative_to(copy.folder))], log.exists, signal.SIGINT)


def stop_and_resume(
    finished: Project, copy: Project, targets: list[str], ready: Callable[[], bool], number: signal.Signals
) -> None:
    """Stop Snakemake alone, check that its jobs end, and repeat the command, as a user of make reproduce does."""
    temporaries = copy.folder / "tmp"
    temporaries.mkdir()
    copy.environment["TMPDIR"] = str(temporaries)
    jobs = start_and_stop(copy, targets, ready, "snakemake", number)
    wait_until(lambda: all(map(has_ended, jobs)), "all jobs have ended")
    if number == signal.SIGKILL:
        (temporaries / "flowsynth-tmp-01234567").mkdir()  # as a killed process leaves it
    run = copy.snakemake(*targets)
    assert run.returncode == 0, run.stdout
    assert contents(copy.results) == contents(finished.results)
    assert list(copy.results.rglob(".*.tmp")) == []
    assert [path.name for path in temporaries.iterdir() if path.name.startswith("flowsynth-tmp-")] == []


def test_killed_rendering_resumes(finished: Project, copy: Project):
    delete_shard(copy)
    start_and_stop(copy, [SHARD], lambda: is_rendering(copy.results / "audio"), "jobs")
    run = copy.snakemake(SHARD)
    assert run.returncode == 0, run.stdout
    assert contents(copy.results) == contents(finished.results)


def test_killed_training_resumes(copy: Project):
    model = copy.results / "grouped" / "fold0" / "cnn"
    shutil.rmtree(model)
    copy.configure(budgets={"tiny": TINY["budgets"]["tiny"] | {"epochs": 60}})
    target = str((model / "checkpoint.pt").relative_to(copy.folder))
    uninterrupted = copy.snakemake(target)
    assert uninterrupted.returncode == 0, uninterrupted.stdout
    expected = contents(model)
    shutil.rmtree(model)
    last = model / "progress" / "last.ckpt"
    start_and_stop(copy, [target], last.exists, "everything")
    assert last.exists()
    copy.snakemake("--unlock")
    resumed = copy.snakemake(target)
    assert resumed.returncode == 0, resumed.stdout
    assert {name: contents(model)[name] for name in expected} == expected
