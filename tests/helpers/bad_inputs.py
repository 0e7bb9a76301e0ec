"""Inputs that are refused: each is a test of its message, and a row of the documents' page of errors.

The cases lie in tests/errors, one module per subject. A case is a function that gets an empty folder, makes the bad input
there and uses it as a user would.
"""

import contextlib
import importlib
import io
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BadInput:
    """An input that is refused.

    Attributes:
        subject: Section of the documents.
        fault: What is wrong with the input, for the documents.
        names: Texts that the message must contain: the file, the offending value, the remedy.
        error: Type of the exception; `SystemExit` for a command, whose message is what it prints.
        use: Makes the bad input in a folder and uses it.
    """

    subject: str
    fault: str
    names: tuple[str, ...]
    error: type[BaseException]
    use: Callable[[Path], object]

    def message(self, folder: Path) -> str:
        """Use the input in a folder, which is the working directory meanwhile, and return the message.

        Raises:
            AssertionError: If the input is accepted.
        """
        printed = io.StringIO()
        with contextlib.chdir(folder), contextlib.redirect_stderr(printed):
            try:
                self.use(folder)
            except self.error as error:
                text = f"{printed.getvalue()}{error.code}" if isinstance(error, SystemExit) else str(error.args[0])
                text = re.sub(r"^usage: .*?(?=^\S+: error: )", "", text, flags=re.DOTALL | re.MULTILINE)
                return text.replace(f"{folder}{os.sep}", "").replace(f"{ROOT}{os.sep}", "").strip()
        raise AssertionError(f"accepted: {self.subject}: {self.fault}")


CASES: list[BadInput] = []
ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "errors"


def load() -> list[BadInput]:
    """Import the modules of tests/errors and return all cases."""
    if str(FOLDER.parent) not in sys.path:
        sys.path.append(str(FOLDER.parent))
    for module in sorted(FOLDER.glob("[!_]*.py")):
        if not module.stem.startswith("test_"):
            importlib.import_module(f"{FOLDER.name}.{module.stem}")
    return CASES


def bad_input(
    subject: str, fault: str, *names: str, error: type[BaseException] = ValueError
) -> Callable[[Callable[[Path], object]], Callable[[Path], object]]:
    """Register the decorated function as a case; see `BadInput` for the arguments."""

    def register(use: Callable[[Path], object]) -> Callable[[Path], object]:
        CASES.append(BadInput(subject, fault, names, error, use))
        return use

    return register
