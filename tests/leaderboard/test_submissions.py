"""Answers of others: what is right is read in any order, what is wrong is refused with the first row at fault."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from flowsynth.leaderboard.submissions import read

NAMES = ("cutoff", "decay")
EXPECTED = pd.DataFrame({"fold": [0, 0, 1], "item": ["a1", "00", "a1"]})
RIGHT = EXPECTED.assign(cutoff=[0.0, 0.25, 1.0], decay=[0.5, 0.125, 0.75])


def written(folder: Path, table: pd.DataFrame, kind: str = "csv") -> Path:
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
def test_rows_and_columns_may_stand_in_any_order(tmp_path: Path, kind: str):
    shuffled = RIGHT.iloc[[2, 0, 1]][["decay", "item", "cutoff", "fold"]]
    found = read(written(tmp_path, shuffled, kind), NAMES, EXPECTED)
    pd.testing.assert_frame_equal(found, RIGHT.astype(dict.fromkeys(NAMES, np.float32)), check_dtype=False)
    assert found[list(NAMES)].dtypes.eq(np.float32).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cutoff": [0.0, np.nan, 1.0]}, "line 3: cutoff = , expected a number within 0..1"),
        ({"cutoff": [0.0, "loud", 1.0]}, "line 3: cutoff = loud, expected"),
        ({"decay": [0.5, 1.01, -1.0]}, r"line 3: decay = 1.01, expected a number within 0..1 \(1 more rows"),
        ({"decay": [np.inf, 0.1, 0.1]}, "line 2: decay = inf, expected"),
        ({"cutoff": [0.0, 0.25, 9.0], "decay": [0.5, 7.0, 0.75]}, r"line 3: decay = 7.0, expected .* \(1 more rows"),
        ({"cutoff": [True, False, True]}, "line 2: cutoff = True, expected a number"),
        ({"item": ["a1", "b7", "a1"]}, "line 3: fold 0 has no test item 'b7'; folds are 0 to 1"),
        ({"fold": [0, 0, 7]}, "line 4: fold 7 has no test item 'a1'"),
        ({"fold": [0, "zero", 1]}, "line 3: fold = 'zero', expected a whole number"),
        ({"item": ["a1", "a1", "a1"]}, "line 3: item a1 of fold 0 stands here again"),
    ],
)
def test_the_first_row_at_fault_is_named(tmp_path: Path, change: dict, said: str):
    with pytest.raises(ValueError, match=said):
        read(written(tmp_path, RIGHT.assign(**change)), NAMES, EXPECTED)


def test_lines_are_counted_as_they_stand_in_the_file(tmp_path: Path):
    (tmp_path / "a.csv").write_text("fold,item,cutoff,decay\n0,a1,0.0,0.5\n\n0,00,2,0.125\n1,a1,1.0,0.75\n")
    with pytest.raises(ValueError, match="line 4: cutoff = 2, expected a number"):
        read(tmp_path / "a.csv", NAMES, EXPECTED)
    (tmp_path / "b.csv").write_text("fold,item,cutoff,decay\n0,a1,0.0,0.5\n\n0,00,0.25,0.125\n1,a1,1.0,0.75\n\n")
    found = read(tmp_path / "b.csv", NAMES, EXPECTED)
    pd.testing.assert_frame_equal(found, RIGHT.astype(dict.fromkeys(NAMES, np.float32)), check_dtype=False)


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path):
    path = written(tmp_path, pd.concat([RIGHT] * 500), "csv.gz")
    whole = path.read_bytes()
    for data in (whole[:-20], whole[:30] + b"\xff" * 20 + whole[50:]):
        path.write_bytes(data)
        with pytest.raises(ValueError, match="is no table of comma-separated values"):
            read(path, NAMES, EXPECTED)


def test_items_without_an_answer_are_counted(tmp_path: Path):
    with pytest.raises(ValueError, match="2 of 3 test items have no answer, the first of them item 00 of fold 0"):
        read(written(tmp_path, RIGHT.iloc[:1]), NAMES, EXPECTED)


def test_columns_have_to_be_the_parameters(tmp_path: Path):
    said = "lacks the columns cutoff and has too many, and unknown the columns cut_off; expected are fold, item, cutoff, decay"
    with pytest.raises(ValueError, match=said):
        read(written(tmp_path, RIGHT.rename(columns={"cutoff": "cut_off"})), NAMES, EXPECTED)


def test_claimed_scores_are_refused_as_unknown_columns(tmp_path: Path):
    with pytest.raises(ValueError, match="unknown the columns log_mel_l1"):
        read(written(tmp_path, RIGHT.assign(log_mel_l1=0.0)), NAMES, EXPECTED)


def test_what_is_no_such_file_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="there is no file of answers"):
        read(tmp_path / "nowhere.csv", NAMES, EXPECTED)
    for kind in ("csv", "h5"):
        (tmp_path / f"bad.{kind}").write_bytes(b"\xff\xfe\x00 nothing")
        with pytest.raises(ValueError, match="is no "):
            read(tmp_path / f"bad.{kind}", NAMES, EXPECTED)


def test_an_hdf5_file_of_other_shapes_is_refused(tmp_path: Path):
    path = written(tmp_path, RIGHT, "h5")
    with h5py.File(path, "r+") as file:
        del file["values"]
        file["values"] = np.zeros((2, 2))
    with pytest.raises(ValueError, match=r"values have the shape \(2, 2\)"):
        read(path, NAMES, EXPECTED)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("names", np.bytes_("cutoff"), "is no HDF5 file with fold, item, values and names"),
        ("item", [b"a1", b"\xff", b"a1"], "is no HDF5 file with fold, item, values and names"),
        ("values", {}, "is no HDF5 file with fold, item, values and names"),
        ("values", np.full((3, 2), 0.5 + 1j), "values are of the type complex128, expected numbers"),
        ("values", [["0.5", "0.5"]] * 3, "values are of the type object, expected numbers"),
    ],
)
def test_an_hdf5_file_of_other_types_is_refused(tmp_path: Path, name: str, content: object, said: str):
    path = written(tmp_path, RIGHT, "h5")
    with h5py.File(path, "r+") as file:
        del file[name]
        if isinstance(content, dict):
            file.create_group(name)
        else:
            file[name] = content
    with pytest.raises(ValueError, match=f"{path}:? {said}"):
        read(path, NAMES, EXPECTED)


def test_lines_with_more_values_than_there_are_names_are_refused(tmp_path: Path):
    (tmp_path / "a.csv").write_text("fold,item,cutoff,decay\n0,a1,0.0,0.5,\n0,00,0.25,0.125,\n1,a1,1.0,0.75,\n")
    with pytest.raises(ValueError, match=r"a.csv: its lines have more values than its first line has names"):
        read(tmp_path / "a.csv", NAMES, EXPECTED)
