"""A training that is preempted goes on where it was and ends in the same weights as one that nobody disturbed."""

import shutil
import subprocess
from pathlib import Path

from cluster import Cluster, run, wait_for
from project import TINY, Project
from runs import Run, adapt
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

EPOCHS = 250  # some seconds, to be preempted in
MODEL = Path("results", "tiny", "amsynth16", "grouped", "fold0", "cnn")
TARGET = str(MODEL / "checkpoint.pt")


def test_a_preempted_training_ends_in_the_same_weights(copy: Project, cluster: Cluster, tmp_path: Path):
    copy.configure(budgets={"tiny": {**TINY["budgets"]["tiny"], "epochs": EPOCHS}})
    shutil.rmtree(copy.folder / MODEL)
    undisturbed = Project(shutil.copytree(copy.folder, tmp_path / "undisturbed", symlinks=True))
    adapt(copy.folder, config=["budget=tiny"])
    model = copy.folder / MODEL

    # both at once
    local = subprocess.Popen(
        undisturbed.command(TARGET),
        cwd=undisturbed.folder,
        env=undisturbed.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    training = Run(copy.folder, TARGET)
    try:
        wait_for((model / "progress" / "last.ckpt").exists, "a checkpoint of the training")
        all_of_it = ["--partition=urgent", "--nodes=2", "--exclusive"]
        urgent = run("sbatch", "--parsable", *all_of_it, "--output=/dev/null", "--wrap=true").strip()
        wait_for(lambda: cluster.jobs(copy.folder)[0]["JobState"] == "PENDING", "the training to be preempted")
        assert (model / "progress" / "last.ckpt").exists()
        assert not (model / "checkpoint.pt").exists()
        wait_for(lambda: cluster.completed().get(urgent, {}).get("JobState") == "COMPLETED", "the urgent job")
        # Slurm lets a job that is queued again wait for two minutes
        run("scontrol", "update", f"jobid={cluster.jobs(copy.folder)[0]['JobId']}", "starttime=now")
        assert training.wait() == 0, training.text
        assert local.wait(300) == 0
    finally:
        local.kill()
        local.wait(30)
        training.kill()
        cluster.restore()
    (job,) = cluster.jobs(copy.folder)
    assert (job["rule"], job["JobState"], job["Restarts"]) == ("train", "COMPLETED", "1")
    for name in ("checkpoint.pt", "history.csv"):
        assert (model / name).read_bytes() == (undisturbed.folder / MODEL / name).read_bytes(), name
    assert 0 < epochs(model / "progress" / "tensorboard") < EPOCHS


def epochs(curves: Path) -> int:
    """Epochs that the last process of a training has logged: all of them, had it not gone on from a checkpoint."""
    events = EventAccumulator(str(max(curves.glob("events.*"), key=lambda path: path.stat().st_mtime)))
    events.Reload()
    return len(events.Scalars("valid/loss"))
