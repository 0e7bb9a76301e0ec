"""What the tests share: a tiny benchmark that was run once, and how they are spread over processes."""

import fcntl
import os
import shutil
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # a core each; torch reads this when it is imported
    os.environ["OMP_NUM_THREADS"] = "1"

import hypothesis
import pytest
from project import Project

# a machine that is busy is no fault
hypothesis.settings.register_profile("calm", deadline=None)
hypothesis.settings.load_profile("calm")


@pytest.hookimpl(tryfirst=True)  # before the one that reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, and all that need the cluster, of which a machine has one."""
    for item in items:
        folder = item.path.parent.name
        item.add_marker(pytest.mark.xdist_group(folder if folder == "slurm" else item.path.stem))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny benchmark after one undisturbed run, the same in all processes: to look at, not to change."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "log").exists():
            return Project(folder)
        shutil.rmtree(folder, ignore_errors=True)  # of a process that failed
        project = Project.make(folder)
        run = project.snakemake()
        assert run.returncode == 0, run.stdout
        (folder / "log").write_text(run.stdout)
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy of the project that was never run."""
    return Project.make(tmp_path / "project")


@pytest.fixture
def copy(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished tiny benchmark, to do with as a test likes."""
    shutil.copytree(finished.folder, tmp_path / "copy", symlinks=True)
    return Project(tmp_path / "copy")
