"""The reference of file formats names every field of every file that a run writes."""

import re
from pathlib import Path

import h5py
import pandas as pd
import pytest
from project import Project

from flowsynth.synths.spec import load

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "files.md"


@pytest.mark.slow
def test_every_field_of_a_file_is_documented(finished: Project):
    named = set(re.findall(r"`([^`]+)`", REFERENCE.read_text()))
    parameters = {parameter.name for parameter in load("amsynth").parameters}
    undocumented = set()
    files = [path for path in finished.results.rglob("*") if path.suffix in (".csv", ".h5")]
    assert {path.suffix for path in files} == {".csv", ".h5"}
    for path in files:
        if path.suffix == ".csv":
            fields = {name for name in pd.read_csv(path, nrows=0) if not name.startswith(("train/", "valid/"))}
        else:
            with h5py.File(path) as file:
                fields = {*file, *file.attrs}
        undocumented |= {(path.name, field) for field in fields - named - parameters}
    assert undocumented == set()
