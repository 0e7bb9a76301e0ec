"""A data set is written into one folder, and read from it wherever it is."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from torch.utils.data import DataLoader, default_convert

from flowsynth import datasets
from flowsynth.core import hdf5
from flowsynth.core.provenance import write_csv
from flowsynth.data.data_card import CONTENTS, content_of
from flowsynth.data.dataset_folder import write
from flowsynth.data.features import DEFAULTS
from flowsynth.data.presets import draw_presets, identity
from flowsynth.rendering.host import Note, fingerprint
from flowsynth.synths.spec import dataset

NAME = "faust16"
SYNTH, INFERRED = dataset(NAME)
STATUS = ("ok", "clipped", "ok", "silent", "ok", "ok", "ok", "ok")  # the silent preset is in no partition
PARTS = ("train", "test", "train", "valid", "train", "train", "train")


def write_run(run: Path, shards: int = 2) -> list[Path]:
    """Write eight presets with random sounds, and return the files of the data set."""
    drawn = draw_presets(SYNTH, len(STATUS), seed=1)[list(INFERRED)].to_numpy()
    table = pd.DataFrame(SYNTH.expand(drawn, INFERRED), columns=SYNTH.names)
    ids = [identity(row) for row in table.to_numpy().tolist()]
    table = table.assign(id=ids, name=[f"drawn {number}" for number in range(len(ids))], bank="drawn")
    counts = {"drawn": len(table), "distinct_before_projection": len(table), "duplicates": 0, "kept": len(table)}
    write_csv(table, run / "presets.csv", counts=counts)
    rng, files = np.random.default_rng(1), [run / "presets.csv"]
    settings = fingerprint(SYNTH, Note(22050, 512, 60, 100, 3.0, 4.0)) | DEFAULTS
    for shard, rows in enumerate(np.array_split(range(len(STATUS)), shards)):
        values = table[list(SYNTH.names)].to_numpy()[rows]
        for kind, name, shape in (("audio", "audio", (50,)), ("features", "mel", (4, 6))):
            files.append(run / kind / f"{shard}.h5")
            with hdf5.writing(files[-1], table["id"][rows], values, SYNTH.names, settings) as file:
                hdf5.add_items(file, name, shape)[:] = rng.normal(size=(len(rows), *shape))
                hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = [STATUS[row] for row in rows]
    ids = table["id"][np.array(STATUS) != "silent"]
    for split in ("grouped", "random"):
        folds = [pd.DataFrame({"fold": n, "id": ids, "part": np.roll(PARTS, n), "group": 0}) for n in range(2)]
        leaks = {"split": split, "fold": 0, "kind": "sound", "within": 0.05, "items": 1, "leaked": 1, "share": 1.0}
        for name, frame in ((split, pd.concat(folds)), (f"{split}_leaks", pd.DataFrame([leaks]))):
            files.append(run / "split" / f"{name}.csv")
            write_csv(frame, files[-1])
    return files


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Folder of a run, ``results/tiny/faust16``, with its data set."""
    folder = tmp_path / "results" / "tiny" / NAME
    write(NAME, folder, write_run(folder), [], folder / "dataset")
    return folder


@pytest.fixture
def folder(run: Path) -> Path:
    return run / "dataset"


def sha256sum(folder: Path) -> subprocess.CompletedProcess:
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.unlink()  # a hard link: the run keeps its file
    path.write_bytes(content)


def test_arrays_are_those_of_the_run_in_the_order_of_ids(run: Path, folder: Path):
    data = datasets.load(NAME, fold=1, folder=folder)
    split = pd.read_csv(run / "split" / "grouped.csv", dtype={"id": str})
    assert data.ids == split.loc[(split["fold"] == 1) & (split["part"] == "train"), "id"].tolist()
    presets = pd.read_csv(run / "presets.csv", dtype={"id": str}).set_index("id").loc[data.ids]
    np.testing.assert_array_equal(data.values, presets[list(INFERRED)].to_numpy(np.float32))
    assert data.names == presets["name"].tolist()
    for array, kind, name in ((data.mel, "features", "mel"), (data.audio, "audio", "audio")):
        stored = hdf5.read_items([run / kind / "0.h5", run / kind / "1.h5"], name)
        np.testing.assert_array_equal(array, [stored[i] for i in data.ids])
        assert array.dtype == np.float32
    assert data.sample_rate == 22050
    assert data.parameters == SYNTH.space(INFERRED)
    assert len(data) == len(data.ids)


def test_parts_are_disjoint_and_complete(folder: Path):
    ids = [i for part in ("train", "valid", "test") for i in datasets.load(NAME, part=part, folder=folder).ids]
    items = pd.read_csv(folder / "items.csv", dtype={"id": str})
    assert sorted(ids) == sorted(items.loc[items["status"] != "silent", "id"])


def test_torch_data_loader_yields_all_presets(folder: Path):
    data = datasets.load(NAME, folder=folder)
    batches = list(DataLoader(data.torch(), batch_size=2, collate_fn=default_convert))
    np.testing.assert_array_equal(np.concatenate([batch.mel for batch in batches]), data.mel)
    np.testing.assert_array_equal(np.concatenate([batch.values for batch in batches]), data.values)


def test_importing_datasets_does_not_load_torch():
    code = "import sys; from flowsynth import datasets; print(datasets.__name__, 'torch' in sys.modules)"
    output = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert output == "flowsynth.data.datasets False\n"


def test_default_folder_is_in_the_results(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert datasets.load(NAME).folder == folder.relative_to(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"amsynth16/dataset, there are \['results/tiny/faust16/dataset'\]"):
        datasets.load("amsynth16")
    shutil.copytree(folder, tmp_path / "results" / "quick" / NAME / "dataset")
    with pytest.raises(ValueError, match=r"several folders .* \['results/quick/.*', 'results/tiny/"):
        datasets.load(NAME)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "amsynth16"}, "is the data set faust16, expected amsynth16"),
        ({"split": "published"}, r"unknown split 'published', expected one of \['grouped', 'random'\]"),
        ({"split": "grouped_leaks"}, "unknown split"),
        ({"fold": 2}, r"grouped\.csv has no train part in fold 2"),
        ({"part": "all"}, r"grouped\.csv has no all part in fold 0"),
    ],
)
def test_unknown_data_raises(folder: Path, arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        datasets.load(**({"name": NAME, "folder": folder} | arguments))


@pytest.mark.parametrize(
    "name", ["presets.csv", "parameters.csv", "split/grouped.csv", "features/1.h5", "croissant.json"]
)
def test_damaged_file_raises(folder: Path, name: str):
    damage(folder / name)
    with pytest.raises(ValueError, match=f"{name} is damaged: sha256 is .*, expected "):
        datasets.load(NAME, folder=folder)
    assert name in sha256sum(folder).stdout


def test_damaged_audio_raises_when_it_is_read(folder: Path):
    damage(folder / "audio" / "0.h5")
    data = datasets.load(NAME, folder=folder)
    assert len(data.mel) == len(data)
    with pytest.raises(ValueError, match=r"audio/0\.h5 is damaged"):
        data.audio  # noqa: B018


def test_missing_file_raises(folder: Path):
    (folder / "features" / "1.h5").unlink()
    with pytest.raises(FileNotFoundError, match=r"features/1\.h5"):
        datasets.load(NAME, folder=folder)


def test_every_file_has_a_checksum_and_a_description(folder: Path):
    assert sha256sum(folder).returncode == 0
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files - {"SHA256SUMS"} == set(datasets.checksums(folder))
    assert all(content_of(name) for name in files)
    assert set(map(content_of, files)) == {text for pattern, text in CONTENTS.items() if pattern != "COPYRIGHT"}


def test_files_of_an_earlier_run_are_removed(run: Path, folder: Path):
    write(NAME, run, write_run(run, shards=1), [], folder)
    assert [path.name for path in datasets.shards(folder, "audio")] == ["0.h5"]
    assert not (folder / "audio" / "1.h5").exists()
    assert sha256sum(folder).returncode == 0


def test_folder_keeps_its_content_when_the_run_changes(run: Path, folder: Path):
    before = datasets.load(NAME, folder=folder).audio
    write_run(run, shards=1)
    np.testing.assert_array_equal(datasets.load(NAME, folder=folder).audio, before)
    assert sha256sum(folder).returncode == 0


def test_folder_without_hard_links_has_copies(run: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_):
        raise OSError("not supported")

    monkeypatch.setattr("os.link", refuse)
    write(NAME, run, write_run(run), [], run / "dataset")
    assert (run / "dataset" / "audio" / "0.h5").stat().st_nlink == 1
    assert sha256sum(run / "dataset").returncode == 0
