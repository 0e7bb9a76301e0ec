"""The target dataset: a folder that can be archived, verified and loaded without the workflow."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from project import Project

from flowsynth import datasets
from flowsynth.core import hdf5
from flowsynth.synths.spec import dataset

PARTS = ("train", "valid", "test")

# in a process of its own: its libraries emit warnings of deprecation
LOAD = """
import itertools, json, sys, warnings
warnings.simplefilter("ignore")
import mlcroissant

def text(value):
    return value.decode() if isinstance(value, bytes) else value

data = mlcroissant.Dataset(sys.argv[1])
records = {}
for name in [record_set.uuid for record_set in data.metadata.record_sets]:
    rows = itertools.islice(data.records(name), 10)
    records[name] = [{key: text(value) for key, value in row.items()} for row in rows]
print(json.dumps({"errors": list(data.metadata.ctx.issues.errors), "records": records}))
"""


@pytest.fixture(scope="module")
def folder(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set, unpacked from an archive where there is nothing else of the run."""
    project = Project(tmp_path_factory.mktemp("dataset") / "copy")
    shutil.copytree(finished.folder, project.folder, symlinks=True)
    run = project.snakemake("dataset")
    assert run.returncode == 0, run.stdout
    assert project.planned("dataset") == {}
    moved = tmp_path_factory.mktemp("moved")
    archive = ["tar", "-ch", "-C", str(project.results), "dataset"]
    subprocess.run(["tar", "-x", "-C", str(moved)], input=subprocess.check_output(archive), check=True)
    shutil.rmtree(project.folder)
    return moved / "dataset"


def test_checksums_are_accepted(folder: Path):
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True)


def test_arrays_are_those_of_the_run(finished: Project, folder: Path):
    _, names = dataset("amsynth16")
    presets = pd.read_csv(finished.results / "presets.csv", dtype={"id": str}).set_index("id")
    parts = [datasets.load("amsynth16", part=part, folder=folder) for part in PARTS]
    for data in parts:
        values = presets.loc[data.ids, list(names)].to_numpy(np.float32)
        np.testing.assert_array_equal(data.values, values)
        for array, kind, key in ((data.mel, "features", "mel"), (data.audio, "audio", "audio")):
            stored = hdf5.read_items(sorted((finished.results / kind).glob("*.h5")), key)
            np.testing.assert_array_equal(array, [stored[name] for name in data.ids])
    ids = [name for data in parts for name in data.ids]
    assert len(ids) == len(set(ids))
    split = pd.read_csv(finished.results / "split" / "grouped.csv", dtype={"id": str})
    assert set(ids) == set(split["id"])


def test_items_are_where_their_table_says(folder: Path):
    items = pd.read_csv(folder / "items.csv", dtype={"id": str})
    assert items["id"].tolist() == pd.read_csv(folder / "presets.csv", dtype={"id": str})["id"].tolist()
    for shard, rows in items.groupby("shard"):
        for kind in ("audio", "features"):
            with hdf5.reading(folder / kind / f"{shard}.h5") as file:
                assert hdf5.ids(file)[rows["row"]].tolist() == rows["id"].tolist()


def test_card_states_origin_licence_and_hashes(folder: Path):
    card = (folder / "README.md").read_text()
    with hdf5.reading(folder / "audio" / "0.h5") as file:
        maker = hdf5.settings(file)
    assert maker["plugin_sha256"] in card
    assert maker["commit"] in card
    assert "amsynth_factory.bank" in card
    assert "Debian package amsynth 1.13" in card
    assert "Licence: GPL-2+" in card
    assert (folder / "COPYRIGHT").read_text() == Path("/usr/share/doc/amsynth/copyright").read_text(encoding="utf-8")


def test_croissant_description_loads_the_tables(folder: Path):
    run = subprocess.run([sys.executable, "-c", LOAD, "croissant.json"], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    loaded = json.loads(run.stdout.splitlines()[-1])
    assert loaded["errors"] == []
    tables = {name: f"{name.replace('_', '/')}.csv" for name in loaded["records"]}
    assert tables.keys() == {"presets", "parameters", "items", "split_grouped", "split_random"}
    for name, table in tables.items():
        expected = pd.read_csv(folder / table).head(10).astype(object)
        expected = expected.where(expected.notna(), None).add_prefix(f"{name}/")
        assert loaded["records"][name] == expected.to_dict("records")


def test_croissant_description_has_every_file(folder: Path):
    description = json.loads((folder / "croissant.json").read_text())
    files = {file["contentUrl"]: file["sha256"] for file in description["distribution"]}
    assert files | {"croissant.json": datasets.checksums(folder)["croissant.json"]} == datasets.checksums(folder)
    assert description["license"] == "https://spdx.org/licenses/GPL-2.0-or-later.html"
