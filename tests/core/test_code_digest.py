"""The code digest changes with the code, and not with comments, docstrings and messages."""

from pathlib import Path

import pytest

from flowsynth.core import code_digest
from flowsynth.core.code_digest import PACKAGE, closure, digest

MODULE = '''"""A module."""

from flowsynth.core.progress import log, track


def double(x: int) -> int:
    """Double a number."""
    if x < 0:
        raise ValueError(f"got {x}, expected a natural number")
    for _ in track(range(x), x, "counting"):
        log.info("one more")
    return 2 * x
'''


def digest_of(tmp_path: Path, text: str) -> str:
    path = tmp_path / str(len(list(tmp_path.iterdir()))) / "module.py"  # a new path: digests are cached by path
    path.parent.mkdir()
    path.write_text(text)
    return digest(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A module."""', '"""Another docstring."""'),
        ('"""Double a number."""', ""),
        ("    return", "    # a comment\n    return"),
        ("2 * x", "(2*x)"),
        ('"one more"', '"one more step of %d", x'),
        ("expected a natural number", "expected 0 or more"),
        ('"counting"', 'f"counting to {x}"'),
    ],
)
def test_text_edits_keep_the_digest(tmp_path: Path, old: str, new: str):
    assert old in MODULE
    assert digest_of(tmp_path, MODULE.replace(old, new)) == digest_of(tmp_path, MODULE)


@pytest.mark.parametrize(
    ("old", "new"),
    [("2 * x", "2 * x + 0"), ("x < 0", "x <= 0"), ("ValueError", "TypeError"), ("range(x)", "range(x + 1)")],
)
def test_code_edits_change_the_digest(tmp_path: Path, old: str, new: str):
    assert old in MODULE
    assert digest_of(tmp_path, MODULE.replace(old, new)) != digest_of(tmp_path, MODULE)


def write_package(tmp_path: Path) -> Path:
    """A package whose module ``model`` imports others in several ways."""
    folder = tmp_path / "package"
    (folder / "parts").mkdir(parents=True)
    files = {
        "__init__.py": "",
        "model.py": "from . import helper\nfrom .parts.deep import x\n\ndef late():\n    from package import lazy\n",
        "helper.py": "import flowsynth.core.seeding\n",
        "lazy.py": "",
        "unused.py": "",
        "parts/__init__.py": "",
        "parts/deep.py": "from ..sibling import y\n\nx = y\n",
        "sibling.py": "import numpy\n\ny = 1\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_closure_follows_relative_late_and_foreign_imports(tmp_path: Path):
    folder = write_package(tmp_path)
    files = closure(folder / "model.py")
    names = {str(path.relative_to(tmp_path)) for path in files if path.is_relative_to(tmp_path)}
    assert names == {
        f"package/{name}.py"
        for name in ("__init__", "model", "helper", "lazy", "parts/__init__", "parts/deep", "sibling")
    }
    assert PACKAGE / "core" / "seeding.py" in files


def test_indirect_imports_change_the_digest(tmp_path: Path):
    first, second = write_package(tmp_path / "first"), write_package(tmp_path / "second")
    assert digest(first / "model.py") == digest(second / "model.py")
    third = write_package(tmp_path / "third")
    (third / "sibling.py").write_text("import numpy\n\ny = 2\n")
    assert digest(third / "model.py") != digest(first / "model.py")


def test_closures_exclude_logging_and_provenance():
    files = closure(PACKAGE / "training" / "fit.py", PACKAGE / "models" / "regression" / "cnn.py")
    names = {path.name for path in files}
    assert {"fit.py", "loop.py", "cnn.py", "networks.py", "dataset.py", "hdf5.py"} <= names
    assert not names & {"progress.py", "provenance.py", "locks.py", "run_log.py"}
    assert not names & {"proxy.py", "scoring.py", "render.py", "summary.py"}


def test_invalid_python_is_rejected(tmp_path: Path):
    with pytest.raises(ValueError, match=r"module\.py"):
        digest_of(tmp_path, "def f(:\n")


def test_kept_results_are_those_of_parsing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = {name: tmp_path / name / "script.py" for name in ("first", "second")}
    for path in files.values():
        path.parent.mkdir()
    files["first"].write_text("import flowsynth.core.seeding\nx = 1\n")
    files["second"].write_text("import flowsynth.core.seeding\nx = 2\n")
    parsed = {name: (digest(path), closure(path)) for name, path in files.items()}
    monkeypatch.setattr(code_digest, "_folder", tmp_path / "kept")
    for _ in range(2):  # written, then read
        code_digest._parse.cache_clear()
        assert {name: (digest(path), closure(path)) for name, path in files.items()} == parsed
    code_digest._parse.cache_clear()
    files["second"].write_text(files["first"].read_text())  # an edit is found at once
    assert digest(files["second"]) == parsed["first"][0]
    code_digest._parse.cache_clear()
