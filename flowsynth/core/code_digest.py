"""Digest of the code that a result depends on, insensitive to text and formatting.

The closure of a file is the file and all modules of this package, or of the file's own package, that it imports
directly or indirectly, including imports inside functions. Its digest covers the syntax trees without comments,
docstrings, formatting, log messages and error messages. Modules that cannot change a result (`NEUTRAL`) are excluded.

Parsing takes seconds, so its results can be kept in a folder, see `keep_in`, by the content of the files.
"""

import ast
import json
import sys
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

from flowsynth.core.provenance import atomic_write

PACKAGE = Path(__file__).parents[1]
# logging, provenance, process management, and where files lie
NEUTRAL = (
    "code_digest.py",
    "disk_space.py",
    "integrity.py",
    "layout.py",
    "locks.py",
    "parent_process.py",
    "progress.py",
    "provenance.py",
    "run_log.py",
)
LOGS = ("log", "logger", "logging", "warnings")  # objects whose method calls only log
LABELLED = ("track",)  # functions whose string arguments are log labels


def digest(*files: Path) -> str:
    """Hash the closures of source files.

    Args:
        files: Modules or scripts.

    Raises:
        ValueError: If a file is not valid Python.
    """
    files_in_order = sorted(closure(*files), key=lambda file: (file.name, str(file)))
    return sha256("\n".join(map(_own_digest, files_in_order)).encode()).hexdigest()


def closure(*files: Path) -> set[Path]:
    """Collect source files and the modules that they import."""
    pending, visited = [file.resolve() for file in files], set()
    while pending:
        file = pending.pop()
        if file not in visited:
            visited.add(file)
            pending += _parse(file)[1]
    return visited


def _own_digest(file: Path) -> str:
    return _parse(file)[0]


def keep_in(folder: Path) -> None:
    """Keep the results of parsing in a folder from now on, also for later processes; no file of it is ever stale."""
    global _folder
    _folder = folder


_folder: Path | None = None


@cache
def _parse(file: Path) -> tuple[str, tuple[Path, ...]]:
    """Return the digest of a file's own code, and the files that it imports."""
    source, module = file.read_bytes(), _module(file)
    kept = _folder / f"{sha256(_version() + module.encode() + source).hexdigest()}.json" if _folder else None
    if kept and kept.exists():
        own, names = json.loads(kept.read_text(encoding="utf-8"))
    else:
        try:
            tree = ast.parse(source, str(file))
        except SyntaxError as error:
            raise ValueError(f"{file} is not valid Python: {error}") from error
        names = list(dict.fromkeys(_imported_names(tree, module)))
        own = sha256(ast.dump(_WithoutText().visit(tree), annotate_fields=False).encode()).hexdigest()
        if kept:
            with atomic_write(kept) as temporary:
                temporary.write_text(json.dumps([own, names]), encoding="utf-8")
    imported = dict.fromkeys(path for name in names for path in _files(name, module.split(".")[0], _root(file)))
    neutral = {PACKAGE / "__init__.py", *(PACKAGE / "core" / name for name in NEUTRAL)}
    return own, tuple(path for path in imported if path not in neutral)


@cache
def _version() -> bytes:
    """Return what the results of parsing depend on besides the source: this module, and the version of Python."""
    return Path(__file__).read_bytes() + sys.version.encode()


def _imported_names(tree: ast.AST, module: str) -> Iterator[str]:
    """Yield the full names of all imports of a module, including their parent packages."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            # a relative import starts at the package of the file, or above it
            package = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*package, *([node.module] if node.module else [])])
            yield from _with_parents(base)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


@cache
def _files(name: str, package: str, root: Path) -> tuple[Path, ...]:
    """Return the file of a module, if it belongs to this package or to that of the importing file, at `root`."""
    first, *rest = name.split(".")
    roots = {PACKAGE.name: PACKAGE, package: root}
    if first not in roots:
        return ()
    base = roots[first].joinpath(*rest)
    return tuple(path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file())


@cache
def _root(file: Path) -> Path:
    """Return the folder of the outermost package of a file; outside a package, the file without its suffix."""
    root = file.with_suffix("")
    while (root.parent / "__init__.py").is_file():
        root = root.parent
    return root


def _module(file: Path) -> str:
    """Return the full module name of a file, including ``__init__`` for a package."""
    return ".".join(file.with_suffix("").relative_to(_root(file).parent).parts)


class _WithoutText(ast.NodeTransformer):
    """Removes docstrings, log calls and messages from a syntax tree."""

    def _without_docstring(self, node: ast.AST) -> ast.AST:
        body = node.body  # type: ignore[attr-defined]
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            del body[0]
        return self.generic_visit(node)

    visit_Module = visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = _without_docstring

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        function = node.value.func if isinstance(node.value, ast.Call) else None
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id in LOGS:
            return None
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return _WithoutStrings().visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in LABELLED:
            node.args = [_WithoutStrings().visit(argument) for argument in node.args]
        return self.generic_visit(node)


class _WithoutStrings(ast.NodeTransformer):
    """Replaces all strings with empty ones."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return ast.Constant("")
