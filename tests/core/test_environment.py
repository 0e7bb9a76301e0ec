"""Libraries have a folder to cache in, also where the user's home can't be written."""

import os
import sys
from pathlib import Path

import pytest

from flowsynth.core.environment import VARIABLES, cache_environment, search_path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder; librosa has not been imported, and lies where nothing may be written."""
    monkeypatch.delitem(sys.modules, "librosa", raising=False)
    (tmp_path / "site" / "librosa").mkdir(parents=True)
    (tmp_path / "site" / "librosa" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "site")
    for name in ("XDG_CACHE_HOME", *VARIABLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_a_writable_home_is_used(home: Path):
    assert cache_environment() == {}


def test_a_temporary_folder_replaces_a_home_that_is_not_writable(home: Path):
    (home / ".cache").touch()  # no folder can be made there, also by root
    environment = cache_environment()
    assert environment.keys() == VARIABLES.keys()
    assert all(os.access(Path(folder).parent, os.W_OK) for folder in environment.values())


def test_numba_caches_beside_librosa_where_it_can(home: Path):
    (home / ".cache").touch()
    (home / "site" / "librosa" / "core" / "__pycache__").mkdir(parents=True)
    assert cache_environment().keys() == {"MPLCONFIGDIR"}


def test_folders_that_are_set_are_kept(home: Path, monkeypatch: pytest.MonkeyPatch):
    (home / ".cache").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", "elsewhere")
    assert cache_environment().keys() == {"MPLCONFIGDIR"}


def test_the_search_path_of_the_user_follows(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/mine", "/checkout", ""]))
    assert search_path("/checkout") == {"PYTHONPATH": os.pathsep.join(["/checkout", "/mine"])}
    monkeypatch.delenv("PYTHONPATH")
    assert search_path("/checkout") == {"PYTHONPATH": "/checkout"}
