"""A training that is preempted goes on where it was and ends in the same weights as one that nobody disturbed."""

import hashlib
import shutil
from pathlib import Path

from cluster import Cluster, run, wait_for
from project import TINY, Project
from runs import Run, adapt
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

EPOCHS = 250  # some seconds, to be preempted in


def test_a_preempted_training_ends_in_the_same_weights(copy: Project, cluster: Cluster):
    copy.configure(budgets={"tiny": {**TINY["budgets"]["tiny"], "epochs": EPOCHS}})
    adapt(copy.folder, config=["budget=tiny"])
    model = copy.results / "grouped" / "fold0" / "cnn"
    target = str((model / "checkpoint.pt").relative_to(copy.folder))

    def weights() -> str:
        return hashlib.sha256((model / "checkpoint.pt").read_bytes()).hexdigest()

    shutil.rmtree(model)
    undisturbed = copy.snakemake(target)
    assert undisturbed.returncode == 0, undisturbed.stdout
    expected, history = weights(), (model / "history.csv").read_text()
    shutil.rmtree(model)

    training = Run(copy.folder, target)
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
        assert training.wait(180) == 0, training.text
    finally:
        training.kill()
        cluster.restore()
    (job,) = cluster.jobs(copy.folder)
    assert (job["rule"], job["JobState"], job["Restarts"]) == ("train", "COMPLETED", "1")
    assert weights() == expected
    assert (model / "history.csv").read_text() == history
    assert 0 < epochs(model / "progress" / "tensorboard") < EPOCHS


def epochs(curves: Path) -> int:
    """Epochs that the last process of a training has logged: all of them, had it not gone on from a checkpoint."""
    events = EventAccumulator(str(max(curves.glob("events.*"), key=lambda path: path.stat().st_mtime)))
    events.Reload()
    return len(events.Scalars("valid/loss"))
