"""The digest of code: edits that can change a result change it, and edits of text do not."""

from pathlib import Path

import pytest

from flowsynth.core.code_digest import PACKAGE, closure, digest

MODULE = '''"""A module."""

from flowsynth.core.progress import log, track


def double(x: int) -> int:
    """Give twice a number."""
    if x < 0:
        raise ValueError(f"got {x}, expected a number from 0")
    for _ in track(range(x), x, "counting"):
        log.info("one more")
    return 2 * x
'''


def of(tmp_path: Path, text: str) -> str:
    path = tmp_path / str(len(list(tmp_path.iterdir()))) / "module.py"  # what is read of a path is remembered
    path.parent.mkdir()
    path.write_text(text)
    return digest(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A module."""', '"""Another docstring."""'),
        ('"""Give twice a number."""', ""),
        ("    return", "    # a comment\n    return"),
        ("2 * x", "(2*x)"),
        ('"one more"', '"one more step of %d", x'),
        ("expected a number from 0", "expected 0 or more"),
        ('"counting"', 'f"counting to {x}"'),
    ],
)
def test_edits_of_text_do_not_change_the_digest(tmp_path: Path, old: str, new: str):
    assert old in MODULE
    assert of(tmp_path, MODULE.replace(old, new)) == of(tmp_path, MODULE)


@pytest.mark.parametrize(
    ("old", "new"),
    [("2 * x", "2 * x + 0"), ("x < 0", "x <= 0"), ("ValueError", "TypeError"), ("range(x)", "range(x + 1)")],
)
def test_edits_of_code_change_the_digest(tmp_path: Path, old: str, new: str):
    assert old in MODULE
    assert of(tmp_path, MODULE.replace(old, new)) != of(tmp_path, MODULE)


def package(tmp_path: Path) -> Path:
    """A package whose model imports its own modules in several ways."""
    folder = tmp_path / "somebody"
    (folder / "parts").mkdir(parents=True)
    files = {
        "__init__.py": "",
        "model.py": "from . import helper\nfrom .parts.deep import x\n\ndef late():\n    from somebody import lazy\n",
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


def test_relative_and_late_imports_and_those_of_other_packages_are_followed(tmp_path: Path):
    folder = package(tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in closure(folder / "model.py") if path.is_relative_to(tmp_path)}
    assert found == {
        f"somebody/{name}.py"
        for name in ("__init__", "model", "helper", "lazy", "parts/__init__", "parts/deep", "sibling")
    }
    assert PACKAGE / "core" / "seeding.py" in closure(folder / "model.py")


def test_a_helper_of_a_helper_counts(tmp_path: Path):
    first, second = package(tmp_path / "first"), package(tmp_path / "second")
    assert digest(first / "model.py") == digest(second / "model.py")
    third = package(tmp_path / "third")
    (third / "sibling.py").write_text("import numpy\n\ny = 2\n")
    assert digest(third / "model.py") != digest(first / "model.py")


def test_logging_and_provenance_belong_to_no_closure():
    found = {
        path.name for path in closure(PACKAGE / "training" / "fit.py", PACKAGE / "models" / "regression" / "cnn.py")
    }
    assert {"fit.py", "loop.py", "cnn.py", "networks.py", "dataset.py", "hdf5.py"} <= found
    assert not found & {"progress.py", "provenance.py", "locks.py", "run_log.py"}
    assert not found & {"proxy.py", "scoring.py", "render.py", "summary.py"}


def test_what_is_no_python_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match=r"module\.py is not valid Python"):
        of(tmp_path, "def f(:\n")
