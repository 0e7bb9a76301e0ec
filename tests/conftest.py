"""Shared fixtures: a tiny benchmark that is run once; distribution of tests over processes."""

import fcntl
import gc
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if "PYTEST_XDIST_WORKER" in os.environ:  # one core per process; read by torch when it is imported
    os.environ["OMP_NUM_THREADS"] = "1"

import forks
import hypothesis
import pytest
from project import Project
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["small"]

# no deadlines: the machine may be busy
hypothesis.settings.register_profile("no-deadline", deadline=None)
hypothesis.settings.load_profile("no-deadline")


class ByFile(LoadScopeScheduling):
    """Runs the tests of a file in one process, and all tests of the Slurm cluster in one process."""

    def _split_scope(self, nodeid: str) -> str:
        return "cluster" if nodeid.startswith("tests/slurm/") else nodeid.split("::")[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need a run of the workflow or a cluster as slow, and start with the longest, so that none is last."""
    for item in items:
        if {"finished", "project", "cluster"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
    first = ("slurm", "repository", "workflow", "training", "models")
    items.sort(key=lambda item: first.index(item.path.parent.name) if item.path.parent.name in first else len(first))


def pytest_collection_finish() -> None:
    """Exclude what has been imported from garbage collection: statsmodels collects in each test of significance."""
    gc.collect()
    gc.freeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.fixture(autouse=True)
def no_log_handlers_stay() -> Iterator[None]:
    """Remove the log handlers that a command installed: their stream ends with the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers[:]:
        if handler not in handlers:
            root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny benchmark after a complete run, shared by all processes; read-only."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "log").exists():
            return Project(folder)
        shutil.rmtree(folder, ignore_errors=True)  # left by a failed process
        project = Project.make(folder)
        project.commit()
        project.environment[forks.READS] = str(folder / "reads")
        run = project.snakemake()
        assert run.returncode == 0, run.stdout
        (folder / "log").write_text(run.stdout)
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy of the project without results."""
    return Project.make(tmp_path / "project")


@pytest.fixture
def copy(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished tiny benchmark that a test may modify."""
    shutil.copytree(finished.folder, tmp_path / "copy", symlinks=True)
    return Project(tmp_path / "copy")


@pytest.fixture(scope="module")
def live(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoint of an untrained regression flow in a copy of the finished tiny benchmark."""
    import torch

    from flowsynth.data.dataset import part
    from flowsynth.inference.run_model import open_run_model
    from flowsynth.models import base as models
    from flowsynth.models.nn.networks import Size
    from flowsynth.synths.spec import dataset
    from flowsynth.training import checkpoints

    run = tmp_path_factory.mktemp("live") / "results" / "tiny" / "amsynth16"
    shutil.copytree(finished.results, run, ignore=shutil.ignore_patterns("page", "figures", "outside", "logs"))
    features = sorted((run / "features").glob("*.h5"))
    names = open_run_model(run / "grouped" / "fold0" / "cnn" / "checkpoint.pt").names
    train = part(run / "split" / "grouped.csv", 0, "train", features, names).all()
    torch.manual_seed(0)
    size = Size(layers=3, channels=4, kernel=3, mlp_layers=2, units=16, dropout=0.0)
    model = models.find("flow_reg")(64, 80, dataset("amsynth16")[0].space(names), size)
    model.calibrate(train)
    path = run / "grouped" / "fold0" / "flow_reg" / "checkpoint.pt"
    checkpoints.save(model.eval(), "flow_reg", {}, {}, path)
    return path


@pytest.fixture(scope="module")
def controller(live: Path) -> Any:
    """The latent controller with that model."""
    from flowsynth.apps.latent_controller import LatentController
    from flowsynth.inference.run_model import open_run_model

    return LatentController(open_run_model(live))
