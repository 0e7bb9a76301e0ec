"""A preempted training resumes from its checkpoint and ends with the same weights as an uninterrupted one."""

import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from cluster import Cluster, run
from project import TINY, Project
from runs import Run, adapt
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from waiting import DEADLINE, command_line, send_signal, wait_until

EPOCHS = 80  # some seconds, long enough to stop the training after its first checkpoint
MODEL = Path("results", "tiny", "amsynth16", "grouped", "fold0", "cnn")
TARGET = str(MODEL / "checkpoint.pt")


def test_preempted_training_ends_with_the_same_weights(copy: Project, cluster: Cluster, tmp_path: Path):
    copy.configure(budgets={"tiny": {**TINY["budgets"]["tiny"], "epochs": EPOCHS}})
    shutil.rmtree(copy.folder / MODEL)
    uninterrupted = Project(shutil.copytree(copy.folder, tmp_path / "uninterrupted", symlinks=True))
    adapt(copy.folder, config=["budget=tiny"])
    model = copy.folder / MODEL

    pool = ThreadPoolExecutor(1)
    local = pool.submit(uninterrupted.snakemake, TARGET)  # at the same time
    training = Run(copy.folder, TARGET)
    try:
        wait_until((model / "progress" / "last.ckpt").exists, "the training has a checkpoint")
        for process in psutil.process_iter():  # so that it does not end before it is preempted
            if f"{copy.folder}/.snakemake/scripts/" in command_line(process):
                send_signal(process, signal.SIGSTOP)
        whole_cluster = ["--partition=urgent", "--nodes=2", "--exclusive"]
        urgent = run("sbatch", "--parsable", *whole_cluster, "--output=/dev/null", "--wrap=true").strip()
        wait_until(lambda: cluster.jobs(copy.folder)[0]["JobState"] == "PENDING", "the training is preempted")
        assert (model / "progress" / "last.ckpt").exists()
        assert not (model / "checkpoint.pt").exists()
        wait_until(
            lambda: cluster.completed().get(urgent, {}).get("JobState") == "COMPLETED", "the urgent job has ended"
        )
        # Slurm delays a requeued job by two minutes
        run("scontrol", "update", f"jobid={cluster.jobs(copy.folder)[0]['JobId']}", "starttime=now")
        assert training.wait() == 0, training.text
        assert local.result(DEADLINE).returncode == 0, local.result().stdout
    finally:
        training.kill()
        cluster.restore()
        pool.shutdown()
    (job,) = cluster.jobs(copy.folder)
    assert (job["rule"], job["JobState"], job["Restarts"]) == ("train", "COMPLETED", "1")
    for name in ("checkpoint.pt", "history.csv"):
        assert (model / name).read_bytes() == (uninterrupted.folder / MODEL / name).read_bytes(), name
    assert 0 < epochs(model / "progress" / "tensorboard") < EPOCHS


def epochs(curves: Path) -> int:
    """Number of epochs logged by the last process of a training: fewer than all if it resumed from a checkpoint."""
    events = EventAccumulator(str(max(curves.glob("events.*"), key=lambda path: path.stat().st_mtime)))
    events.Reload()
    return len(events.Scalars("valid/loss"))
