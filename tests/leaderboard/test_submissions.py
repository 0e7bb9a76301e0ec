"""Submitted prediction files: rows and columns in any order; invalid files are refused with the first invalid row."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from flowsynth.leaderboard.submissions import read_submission

NAMES = ("cutoff", "decay")
EXPECTED = pd.DataFrame({"fold": [0, 0, 1], "item": ["a1", "00", "a1"]})
VALID = EXPECTED.assign(cutoff=[0.0, 0.25, 1.0], decay=[0.5, 0.125, 0.75])


def write(folder: Path, table: pd.DataFrame, kind: str = "csv") -> Path:
    path = folder / f"answers.{kind}"
    if kind == "h5":
        names = [name for name in table if name not in ("fold", "item")]
        with h5py.File(path, "w") as file:
            file["fold"], file["values"] = table["fold"].to_numpy(), table[names].to_numpy()
            file["item"], file["names"] = table["item"].tolist(), names
    else:
        table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "h5"])
def test_rows_and_columns_may_be_in_any_order(tmp_path: Path, kind: str):
    shuffled = VALID.iloc[[2, 0, 1]][["decay", "item", "cutoff", "fold"]]
    submission = read_submission(write(tmp_path, shuffled, kind), NAMES, EXPECTED)
    pd.testing.assert_frame_equal(submission, VALID.astype(dict.fromkeys(NAMES, np.float32)), check_dtype=False)
    assert submission[list(NAMES)].dtypes.eq(np.float32).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cutoff": [0.0, np.nan, 1.0]}, "line 3: cutoff = , expected"),
        ({"cutoff": [0.0, "loud", 1.0]}, "line 3: cutoff = loud, expected"),
        ({"decay": [0.5, 1.01, -1.0]}, r"line 3: decay = 1.01, expected .* \(and 1 more rows"),
        ({"decay": [np.inf, 0.1, 0.1]}, "line 2: decay = inf, expected"),
        (
            {"cutoff": [0.0, 0.25, 9.0], "decay": [0.5, 7.0, 0.75]},
            r"line 3: decay = 7.0, expected .* \(and 1 more rows",
        ),
        ({"cutoff": [True, False, True]}, "line 2: cutoff = True, expected"),
        ({"item": ["a1", "b7", "a1"]}, "line 3: fold 0 .* 'b7'; folds are 0 to 1"),
        ({"fold": [0, 0, 7]}, "line 4: fold 7 .* 'a1'"),
        ({"fold": [0, "zero", 1]}, "line 3: fold = 'zero', expected"),
        ({"item": ["a1", "a1", "a1"]}, "line 3: duplicate item a1 of fold 0"),
    ],
)
def test_first_invalid_row_is_named(tmp_path: Path, change: dict, message: str):
    with pytest.raises(ValueError, match=message):
        read_submission(write(tmp_path, VALID.assign(**change)), NAMES, EXPECTED)


def test_blank_lines_are_counted_and_ignored(tmp_path: Path):
    (tmp_path / "a.csv").write_text("fold,item,cutoff,decay\n0,a1,0.0,0.5\n\n0,00,2,0.125\n1,a1,1.0,0.75\n")
    with pytest.raises(ValueError, match="line 4: cutoff = 2, expected"):
        read_submission(tmp_path / "a.csv", NAMES, EXPECTED)
    (tmp_path / "b.csv").write_text("fold,item,cutoff,decay\n0,a1,0.0,0.5\n\n0,00,0.25,0.125\n1,a1,1.0,0.75\n\n")
    submission = read_submission(tmp_path / "b.csv", NAMES, EXPECTED)
    pd.testing.assert_frame_equal(submission, VALID.astype(dict.fromkeys(NAMES, np.float32)), check_dtype=False)


def test_truncated_file_is_refused(tmp_path: Path):
    path = write(tmp_path, pd.concat([VALID] * 500), "csv.gz")
    whole = path.read_bytes()
    for data in (whole[:-20], whole[:30] + b"\xff" * 20 + whole[50:]):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"answers.csv.gz is not a valid CSV file"):
            read_submission(path, NAMES, EXPECTED)


def test_missing_items_are_counted(tmp_path: Path):
    with pytest.raises(ValueError, match=r"2 of 3 test items .* item 00 of fold 0"):
        read_submission(write(tmp_path, VALID.iloc[:1]), NAMES, EXPECTED)


def test_columns_must_be_the_parameters(tmp_path: Path):
    message = "missing columns cutoff; unknown columns cut_off; expected fold, item, cutoff, decay"
    with pytest.raises(ValueError, match=message):
        read_submission(write(tmp_path, VALID.rename(columns={"cutoff": "cut_off"})), NAMES, EXPECTED)


def test_claimed_scores_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="unknown columns log_mel_l1"):
        read_submission(write(tmp_path, VALID.assign(log_mel_l1=0.0)), NAMES, EXPECTED)


def test_missing_and_malformed_files_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"nowhere.csv"):
        read_submission(tmp_path / "nowhere.csv", NAMES, EXPECTED)
    for kind in ("csv", "h5"):
        (tmp_path / f"bad.{kind}").write_bytes(b"\xff\xfe\x00 nothing")
        with pytest.raises(ValueError, match=f"bad.{kind} is (not|truncated or not HDF5)"):
            read_submission(tmp_path / f"bad.{kind}", NAMES, EXPECTED)


def test_hdf5_file_with_wrong_shapes_is_refused(tmp_path: Path):
    path = write(tmp_path, VALID, "h5")
    with h5py.File(path, "r+") as file:
        del file["values"]
        file["values"] = np.zeros((2, 2))
    with pytest.raises(ValueError, match=r"values have shape \(2, 2\)"):
        read_submission(path, NAMES, EXPECTED)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("names", np.bytes_("cutoff"), "'names' has the type"),
        ("item", [b"a1", b"\xff", b"a1"], "is not an HDF5 file"),
        ("values", {}, "'values' is no data of this file"),
        ("values", np.full((3, 2), 0.5 + 1j), "'values' has the type complex128"),
        ("values", [["0.5", "0.5"]] * 3, "'values' has the type object"),
    ],
)
def test_hdf5_file_with_wrong_types_is_refused(tmp_path: Path, name: str, content: object, message: str):
    path = write(tmp_path, VALID, "h5")
    with h5py.File(path, "r+") as file:
        del file[name]
        if isinstance(content, dict):
            file.create_group(name)
        else:
            file[name] = content
    with pytest.raises(ValueError, match=f"{path}:? {message}"):
        read_submission(path, NAMES, EXPECTED)


def test_rows_longer_than_the_header_are_refused(tmp_path: Path):
    (tmp_path / "a.csv").write_text("fold,item,cutoff,decay\n0,a1,0.0,0.5,\n0,00,0.25,0.125,\n1,a1,1.0,0.75,\n")
    with pytest.raises(ValueError, match=r"a.csv: rows have more values"):
        read_submission(tmp_path / "a.csv", NAMES, EXPECTED)
