"""Damaged tables and JSON files are named, with a remedy that suits the file."""

import gzip
from pathlib import Path

import pytest

from flowsynth.core import integrity
from flowsynth.core.readers import read_csv, read_json

RESULT, TRACKED, OTHER = map(Path, ("results/quick/a1/t.csv", "results/baselines/a1/t.csv", "mine/t.csv"))
TABLE = "id,value\n0a,1.5\n1b,2\n"


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (RESULT, TRACKED, OTHER):
        path.parent.mkdir(parents=True)


def test_table_is_read():
    RESULT.write_text(TABLE)
    assert read_csv(RESULT, ["id"], dtype={"id": str})["value"].tolist() == [1.5, 2]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"id,value\n0a,1,2,3\n1\n", b"id,value\n0a,one\n", b'id,"val']
)
@pytest.mark.parametrize(
    ("path", "remedy"), [(RESULT, "delete it and run again"), (TRACKED, "git checkout"), (OTHER, "copy it again")]
)
def test_damaged_table_is_named(path: Path, remedy: str, content: bytes):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{path}.*{remedy}|{path}: got the columns"):
        read_csv(path, ["id", "value"], dtype={"value": float})


@pytest.mark.parametrize("cut", [3, 20, -5])
def test_damaged_compressed_table_is_named(cut: int):
    path = TRACKED.with_suffix(".csv.gz")
    path.write_bytes(gzip.compress(TABLE.encode())[:cut])
    with pytest.raises(ValueError, match=rf"{path} is damaged .*: restore it: git checkout"):
        read_csv(path)


def test_table_of_other_columns_is_named():
    OTHER.write_text(TABLE)
    with pytest.raises(ValueError, match=rf"{OTHER}: got the columns \['id', 'value'\], expected also \['fold'\]"):
        read_csv(OTHER, ["id", "fold"])


def test_changed_table_with_a_checksum_is_an_error():
    RESULT.write_text(TABLE)
    integrity.record(RESULT)
    RESULT.write_text(TABLE.replace("1.5", "15"))
    with pytest.raises(ValueError, match=rf"{RESULT} is damaged, or was changed"):
        read_csv(RESULT)


@pytest.mark.parametrize("read", [read_csv, read_json])
def test_missing_file_is_named(read):
    with pytest.raises(FileNotFoundError, match=str(OTHER)):
        read(OTHER)


@pytest.mark.parametrize("content", ["", "{", "[1]", "[" * 100_000, '{"other": 1}', "\x00"])
def test_damaged_json_is_named(content: str):
    OTHER.write_text(content)
    with pytest.raises(ValueError, match=rf"{OTHER} is damaged .*: copy it again"):
        read_json(OTHER, ["folds"])
