"""Environment variables of this process and of those that it starts."""

import atexit
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

VARIABLES = {"NUMBA_CACHE_DIR": "numba", "MPLCONFIGDIR": "matplotlib"}  # numba does not start without one


def cache_environment() -> dict[str, str]:
    """Return environment variables by which libraries cache in a temporary folder, if the user has no cache folder.

    Set them before the libraries are imported. The folder is removed when this process ends. Without need of it, or if
    the variables are set already, nothing is returned. numba needs none where it can cache beside librosa, whose functions
    take it three quarters of a minute to compile.
    """
    missing = {name: folder for name, folder in VARIABLES.items() if name not in os.environ}
    if _caches_beside_librosa():
        missing.pop("NUMBA_CACHE_DIR", None)
    if not missing or _is_writable(os.environ.get("XDG_CACHE_HOME") or "~/.cache"):
        return {}
    folder = tempfile.mkdtemp(prefix="flowsynth-cache-")  # not shared: numba runs what it finds there
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return {name: str(Path(folder) / subfolder) for name, subfolder in missing.items()}


def search_path(first: str) -> dict[str, str]:
    """Return the variable by which processes import modules from a folder first, then from the folders of the user."""
    folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return {"PYTHONPATH": os.pathsep.join(dict.fromkeys([first, *filter(None, folders)]))}


def _caches_beside_librosa() -> bool:
    spec = importlib.util.find_spec("librosa")
    folders = (spec and spec.submodule_search_locations) or []
    return any(os.access(Path(folder) / "core" / "__pycache__", os.W_OK) for folder in folders)


def _is_writable(folder: str) -> bool:
    try:
        path = Path(folder).expanduser()
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no permission, a read-only file system, or no home folder
        return False
    return os.access(path, os.W_OK)
