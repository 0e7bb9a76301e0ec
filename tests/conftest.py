"""What the tests share: a tiny benchmark that was run once."""

import shutil
from pathlib import Path

import hypothesis
import pytest
from project import Project

# a machine that is busy is no fault
hypothesis.settings.register_profile("calm", deadline=None)
hypothesis.settings.load_profile("calm")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny benchmark after one undisturbed run: to look at, not to change."""
    project = Project.make(tmp_path_factory.mktemp("finished"))
    run = project.snakemake()
    assert run.returncode == 0, run.stdout
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
