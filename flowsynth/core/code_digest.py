"""Digest of the code that a result depends on: of what it does, and not of its text.

The closure of a file is that file and all modules that it imports, directly or not, inside functions too, as far as they
belong to this package or to the file's own. Its digest is that of the syntax trees without comments, docstrings,
formatting, log messages and the texts of errors. Modules that cannot change a result (`NEUTRAL`) do not count.
"""

import ast
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
# logs, versions and commits, and what a process does beside its work
NEUTRAL = ("code_digest.py", "parent_process.py", "run_log.py", "locks.py", "progress.py", "provenance.py")
LOGS = ("log", "logger", "logging", "warnings")  # names whose calls print
LABELLED = ("track",)  # functions whose texts are labels of a log


def digest(*files: Path) -> str:
    """Hash the closures of files of code.

    Args:
        files: Modules or scripts.

    Raises:
        ValueError: If a file is not valid Python.
    """
    found = sorted(closure(*files), key=lambda file: (file.name, str(file)))
    return sha256("\n".join(map(_of_file, found)).encode()).hexdigest()


def closure(*files: Path) -> set[Path]:
    """Collect files of code and the modules that they import."""
    waiting, found = [file.resolve() for file in files], set()
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += _parsed(file)[1]
    return found


def _of_file(file: Path) -> str:
    return _parsed(file)[0]


@cache
def _parsed(file: Path) -> tuple[str, tuple[Path, ...]]:
    """Digest of a file's own code, and the files of the modules that it imports."""
    try:
        tree = ast.parse(file.read_bytes(), str(file))
    except SyntaxError as error:
        raise ValueError(f"{file} is not valid Python: {error}") from error
    imported = dict.fromkeys(path for name in _names(tree, file) for path in _files(name, file))
    neutral = {PACKAGE / "__init__.py", *(PACKAGE / "core" / name for name in NEUTRAL)}
    own = ast.dump(_WithoutText().visit(tree), annotate_fields=False)
    return sha256(own.encode()).hexdigest(), tuple(path for path in imported if path not in neutral)


def _names(tree: ast.AST, file: Path) -> Iterator[str]:
    """Full names of all that a module imports, with the packages that they lie in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            # relative: from the package of the file, or one above it
            above = _module(file).split(".")[: -node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from _with_parents(base)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _files(name: str, importing: Path) -> Iterator[Path]:
    """The file of a module, if it belongs to this package or to that of the file that imports it."""
    first, *rest = name.split(".")
    roots = {PACKAGE.name: PACKAGE, _module(importing).split(".")[0]: _root(importing)}
    if first in roots:
        base = roots[first].joinpath(*rest)
        yield from (path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file())


def _root(file: Path) -> Path:
    """The folder of the outermost package that a file lies in, or the file without its suffix where it lies in none."""
    root = file.with_suffix("")
    while (root.parent / "__init__.py").is_file():
        root = root.parent
    return root


def _module(file: Path) -> str:
    """Full name of the module that a file holds; of a package, that of its ``__init__``."""
    return ".".join(file.with_suffix("").relative_to(_root(file).parent).parts)


class _WithoutText(ast.NodeTransformer):
    """Takes out of a syntax tree what cannot change a result."""

    def _without_docstring(self, node: ast.AST) -> ast.AST:
        body = node.body  # type: ignore[attr-defined]
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            del body[0]
        return self.generic_visit(node)

    visit_Module = visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = _without_docstring

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        called = node.value.func if isinstance(node.value, ast.Call) else None
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in LOGS:
            return None
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return _WithoutStrings().visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in LABELLED:
            node.args = [_WithoutStrings().visit(argument) for argument in node.args]
        return self.generic_visit(node)


class _WithoutStrings(ast.NodeTransformer):
    """Empties all strings."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return ast.Constant("")
