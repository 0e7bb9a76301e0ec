"""Submitted prediction files: parameters for the test items, validated before anything is rendered.

A CSV file has the columns fold, item and one per parameter, in any order; an HDF5 file has the datasets ``fold``,
``item``, ``values`` (rows x parameters) and ``names`` (of the parameters). Values are normalised to [0, 1], as in the
tables of presets. There is one row per test item of each fold. Scores are not part of a submission.
"""

import gzip
import io
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool

from flowsynth.core.hdf5 import open_hdf5
from flowsynth.core.untrusted import check_hdf5

KEY = ["fold", "item"]
HDF5_SUFFIXES = (".h5", ".hdf5")
# a file may have more rows than are expected, and values of 64 characters, to name the first row that is wrong
CELL_SIZE, SPARE_ROWS = 64, 10_000


def read_submission(path: Path, names: Sequence[str], expected: pd.DataFrame) -> pd.DataFrame:
    """Read and validate a prediction file.

    Args:
        path: Path of the file: ``.csv``, ``.csv.gz``, ``.h5`` or ``.hdf5``.
        names: Names of the inferred parameters.
        expected: Test items, columns fold and item.

    Returns:
        Columns fold, item and the parameters, in the order of `expected` and `names`; float32.

    Raises:
        ValueError: If columns, items or values are invalid; the message names the first invalid row.
    """
    if not path.is_file():
        raise ValueError(f"there is no prediction file {path}")
    is_hdf5 = path.suffix in HDF5_SUFFIXES
    limit = CELL_SIZE * (len(expected) + SPARE_ROWS) * (len(names) + len(KEY))
    table = _read_hdf5(path, limit) if is_hdf5 else _read_csv(path, limit)
    _require_columns(path, list(table.columns), names)
    table["item"] = table["item"].astype(str)
    places = [f"{path}, {'row' if is_hdf5 else 'line'} {row}" for row in table.index]
    fold = pd.to_numeric(table["fold"], errors="coerce").to_numpy(dtype=np.float64)
    not_whole = np.isnan(fold) | (fold % 1 != 0)
    _refuse(places, not_whole, lambda row: f"fold = {table['fold'].iloc[row]!r}, expected a whole number")
    table["fold"] = fold.astype(int)
    keys = list(zip(table["fold"], table["item"], strict=True))
    expected_keys = list(zip(expected["fold"], expected["item"], strict=True))
    folds = f"folds are {expected['fold'].min()} to {expected['fold'].max()}"
    known = set(expected_keys)
    unknown = np.array([key not in known for key in keys], dtype=bool)
    _refuse(places, unknown, lambda row: f"fold {keys[row][0]} has no test item {keys[row][1]!r}; {folds}")
    duplicated = table.duplicated(KEY).to_numpy()
    _refuse(places, duplicated, lambda row: f"duplicate item {keys[row][1]} of fold {keys[row][0]}")
    values = pd.DataFrame({name: _to_numbers(table[name]) for name in names}, index=table.index)
    invalid = ~((values >= 0) & (values <= 1)).to_numpy()

    def describe_value(row: int) -> str:
        name = names[int(invalid[row].argmax())]
        return f"{name} = {table[name].iloc[row]}, expected a number within 0..1"

    _refuse(places, invalid.any(axis=1), describe_value)
    predictions = pd.concat([table[KEY], values.astype(np.float32)], axis=1).set_index(KEY)
    missing = [key for key in expected_keys if key not in predictions.index]
    if missing:
        raise ValueError(
            f"{path}: {len(missing)} of {len(expected)} test items have no prediction, the first is item "
            f"{missing[0][1]} of fold {missing[0][0]}"
        )
    return predictions.loc[expected_keys, list(names)].reset_index()


def _to_numbers(column: pd.Series) -> np.ndarray:
    """Convert a column to float64; entries that are no numbers become NaN, booleans too."""
    plain = column if column.dtype != bool else column.astype(str)
    return pd.to_numeric(plain, errors="coerce").to_numpy(dtype=np.float64)


def _read_csv(path: Path, limit: int) -> pd.DataFrame:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise ValueError(
                f"it has more than {limit:,} bytes, expected a row per test item and a column per parameter"
            )
        # blank lines are dropped below, after lines are numbered
        table = pd.read_csv(io.BytesIO(data), dtype={"item": str}, keep_default_na=False, skip_blank_lines=False)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is not a valid CSV file: {error}") from error
    if not isinstance(table.index, pd.RangeIndex):
        raise ValueError(f"{path}: rows have more values than the header has names")
    table = table.set_index(pd.RangeIndex(2, len(table) + 2))  # line numbers of the file
    return table[(table.astype(str) != "").any(axis=1)]


def _read_hdf5(path: Path, limit: int) -> pd.DataFrame:
    check_hdf5(path, limit)
    try:
        with open_hdf5(path) as file:
            names = [name.decode() if isinstance(name, bytes) else str(name) for name in file["names"][:]]
            values = file["values"][:]
            items = [item.decode() if isinstance(item, bytes) else str(item) for item in file["item"][:]]
            folds = file["fold"][:]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not an HDF5 file with fold, item, values and names: {error}") from error
    if values.ndim != 2 or values.shape != (len(items), len(names)) or folds.shape != (len(items),):
        raise ValueError(
            f"{path}: values have shape {values.shape} and fold {folds.shape}, expected {(len(items), len(names))} and "
            f"{(len(items),)} for {len(items)} items and {len(names)} names"
        )
    if values.dtype.kind not in "fiu":
        raise ValueError(f"{path}: values have type {values.dtype}, expected numbers")
    return pd.concat([pd.DataFrame({"fold": folds, "item": items}), pd.DataFrame(values, columns=names)], axis=1)


def _require_columns(path: Path, columns: list[str], names: Sequence[str]) -> None:
    expected = [*KEY, *names]
    faults = {
        "missing": [name for name in expected if name not in columns],
        "unknown": [name for name in columns if name not in expected],
        "duplicate": sorted({name for name in columns if columns.count(name) > 1}),
    }
    messages = [f"{fault} columns {', '.join(at_fault)}" for fault, at_fault in faults.items() if at_fault]
    if messages:
        raise ValueError(f"{path}: {'; '.join(messages)}; expected {', '.join(expected)}")


def _refuse(places: Sequence[str], invalid: Bool[np.ndarray, " rows"], describe: Callable[[int], str]) -> None:
    """Raise an error for the first invalid row."""
    rows = np.flatnonzero(invalid)
    if len(rows):
        more = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
        raise ValueError(f"{places[rows[0]]}: {describe(int(rows[0]))}{more}")
