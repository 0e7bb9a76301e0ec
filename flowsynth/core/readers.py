"""Readers of CSV and JSON files; they verify checksums, and name a file that is damaged or another one than expected."""

import json
import warnings
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd

from flowsynth.core import integrity


def read_csv(path: Path, columns: Collection[str] = (), **options: Any) -> pd.DataFrame:
    """Read a table.

    Args:
        path: CSV file, or compressed by gzip.
        columns: Columns that it must have.
        options: Arguments of `pandas.read_csv`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged, has not the columns, or a column has values of another type.
    """
    integrity.verify(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # lines that are longer than the header
            table = pd.read_csv(path, encoding="utf-8", index_col=False, **options)
    except (ValueError, EOFError, zlib.error, pd.errors.ParserWarning) as error:  # ValueError: text, encoding or types
        raise ValueError(f"{path} is damaged ({_cause(error)}): {integrity.remedy(path)}") from error
    except OSError as error:
        if error.errno is not None:  # of the system, with the path
            raise
        raise ValueError(f"{path} is damaged ({_cause(error)}): {integrity.remedy(path)}") from error
    missing = [name for name in columns if name not in table]
    if missing:
        raise ValueError(f"{path}: got the columns {list(table.columns)}, expected also {missing}")
    return table


def read_json(path: Path, keys: Collection[str] = ()) -> dict[str, Any]:
    """Read a JSON object.

    Args:
        path: JSON file.
        keys: Keys that it must have.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not such an object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged ({_cause(error)}): {integrity.remedy(path)}") from error
    missing = [key for key in keys if not isinstance(content, dict) or key not in content]
    if missing or not isinstance(content, dict):
        expected = f"the keys {missing} in it" if missing else "an object"
        raise ValueError(f"{path} is damaged (expected {expected}): {integrity.remedy(path)}")
    return content


def _cause(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
