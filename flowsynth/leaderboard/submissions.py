"""Answers that somebody else made: a file of parameters for the test items, checked before anything is rendered.

A CSV file has the columns fold, item and one for each parameter, in any order; an HDF5 file the datasets ``fold``, ``item``
and ``values`` (rows x parameters), and the names of the parameters in ``names``. Values are normalised to [0, 1], as in the
tables of presets. There is one row for each test item of each fold. Scores in such a file are neither asked for nor read.
"""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from jaxtyping import Bool

KEY = ["fold", "item"]
HDF5 = (".h5", ".hdf5")


def read(path: Path, names: Sequence[str], expected: pd.DataFrame) -> pd.DataFrame:
    """Read a file of answers.

    Args:
        path: The file, ``.csv`` (it may be compressed: ``.csv.gz``) or ``.h5``.
        names: Of the parameters that are inferred.
        expected: The test items, columns fold and item.

    Returns:
        Columns fold, item and the parameters, in the order of `expected` and `names`; float32.

    Raises:
        ValueError: If columns, items or values are not as they have to be; the first row at fault is named.
    """
    if not path.is_file():
        raise ValueError(f"there is no file of answers {path}")
    table = _hdf5(path) if path.suffix in HDF5 else _csv(path)
    _columns(path, list(table.columns), names)
    table["item"] = table["item"].astype(str)
    where = [f"{path}, {'row' if path.suffix in HDF5 else 'line'} {row}" for row in table.index]
    fold = pd.to_numeric(table["fold"], errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.isnan(fold) | (fold % 1 != 0)
    _first(where, wrong, lambda row: f"fold = {table['fold'].iloc[row]!r}, expected a whole number")
    table["fold"] = fold.astype(int)
    said = list(zip(table["fold"], table["item"], strict=True))
    wanted = list(zip(expected["fold"], expected["item"], strict=True))
    folds = f"folds are {expected['fold'].min()} to {expected['fold'].max()}"
    known = set(wanted)
    foreign = np.array([key not in known for key in said], dtype=bool)
    _first(where, foreign, lambda row: f"fold {said[row][0]} has no test item {said[row][1]!r}; {folds}")
    again = table.duplicated(KEY).to_numpy()
    _first(where, again, lambda row: f"item {said[row][1]} of fold {said[row][0]} stands here again")
    given = {name: _numbers(table[name]) for name in names}
    values = pd.DataFrame(given, index=table.index)
    outside = ~((values >= 0) & (values <= 1)).to_numpy()

    def told(row: int) -> str:
        name = names[int(outside[row].argmax())]
        return f"{name} = {table[name].iloc[row]}, expected a number within 0..1"

    _first(where, outside.any(axis=1), told)
    found = pd.concat([table[KEY], values.astype(np.float32)], axis=1).set_index(KEY)
    lacking = [key for key in wanted if key not in found.index]
    if lacking:
        raise ValueError(
            f"{path}: {len(lacking)} of {len(expected)} test items have no answer, the first of them item {lacking[0][1]} of "
            f"fold {lacking[0][0]}"
        )
    return found.loc[wanted, list(names)].reset_index()


def _numbers(column: pd.Series) -> np.ndarray:
    """Numbers of a column, as float64; what is none is NaN, and so are words such as True."""
    plain = column if column.dtype != bool else column.astype(str)
    return pd.to_numeric(plain, errors="coerce").to_numpy(dtype=np.float64)


def _csv(path: Path) -> pd.DataFrame:
    try:
        # blank lines are left out below: here, lines would be counted wrongly
        table = pd.read_csv(path, dtype={"item": str}, keep_default_na=False, skip_blank_lines=False)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is no table of comma-separated values: {error}") from error
    if not isinstance(table.index, pd.RangeIndex):
        raise ValueError(f"{path}: its lines have more values than its first line has names")
    table = table.set_index(pd.RangeIndex(2, len(table) + 2))  # by line of the file
    return table[(table.astype(str) != "").any(axis=1)]


def _hdf5(path: Path) -> pd.DataFrame:
    try:
        with h5py.File(path, "r") as file:
            names = [name.decode() if isinstance(name, bytes) else str(name) for name in file["names"][:]]
            values = file["values"][:]
            items = [item.decode() if isinstance(item, bytes) else str(item) for item in file["item"][:]]
            folds = file["fold"][:]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no HDF5 file with fold, item, values and names: {error}") from error
    if values.ndim != 2 or values.shape != (len(items), len(names)) or folds.shape != (len(items),):
        raise ValueError(
            f"{path}: values have the shape {values.shape} and fold {folds.shape}, expected {(len(items), len(names))} and "
            f"{(len(items),)} for {len(items)} items and {len(names)} names"
        )
    if values.dtype.kind not in "fiu":
        raise ValueError(f"{path}: values are of the type {values.dtype}, expected numbers")
    return pd.concat([pd.DataFrame({"fold": folds, "item": items}), pd.DataFrame(values, columns=names)], axis=1)


def _columns(path: Path, found: list[str], names: Sequence[str]) -> None:
    wanted = [*KEY, *names]
    twice = sorted({name for name in found if found.count(name) > 1})
    faults = {
        "lacks": [name for name in wanted if name not in found],
        "has too many, and unknown": [name for name in found if name not in wanted],
        "has twice": twice,
    }
    told = [f"{fault} the columns {', '.join(columns)}" for fault, columns in faults.items() if columns]
    if told:
        raise ValueError(f"{path} {' and '.join(told)}; expected are {', '.join(wanted)}")


def _first(where: Sequence[str], wrong: Bool[np.ndarray, " rows"], say: Callable[[int], str]) -> None:
    """Refuse the first row that is wrong."""
    rows = np.flatnonzero(wrong)
    if len(rows):
        more = f" ({len(rows) - 1} more rows are wrong in this way)" if len(rows) > 1 else ""
        raise ValueError(f"{where[rows[0]]}: {say(int(rows[0]))}{more}")
