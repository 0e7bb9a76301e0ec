"""Examples in docstrings run and print what they say."""

import ast
import doctest
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [file for file in sorted((ROOT / "flowsynth").rglob("*.py")) if ">>> " in file.read_text()]


def examples(file: Path) -> Iterator[doctest.DocTest]:
    """Parse the docstrings of a module; doctest does not find those of functions that the shape checks wrap."""
    name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    variables = vars(importlib.import_module(name))
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            text = ast.get_docstring(node) or ""
            yield doctest.DocTestParser().get_doctest(text, dict(variables), getattr(node, "name", name), str(file), 0)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_examples_of_docstrings_run(file: Path):
    results = [doctest.DocTestRunner(verbose=False).run(test) for test in examples(file)]
    assert sum(result.attempted for result in results) == file.read_text(encoding="utf-8").count(">>> ")
    assert not any(result.failed for result in results)
