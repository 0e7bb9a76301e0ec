"""Damaged and foreign files that are refused."""

import gzip
import json
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch
from bad_inputs import bad_input

from flowsynth.core import hdf5, integrity
from flowsynth.core.provenance import write_csv
from flowsynth.data import dx7
from flowsynth.data.datasets import load
from flowsynth.data.presets import collect, read_bank, read_table
from flowsynth.leaderboard.baselines import read_scores
from flowsynth.leaderboard.submissions import read_submission
from flowsynth.synths import spec
from flowsynth.training import checkpoints

ROOT = Path(__file__).parents[2]
RUN, BASELINES = Path("results/quick/amsynth16"), Path("results/baselines/amsynth16")
RERUN, GIT = "elete it and run again", "git checkout -- "
EXPECTED = pd.DataFrame({"fold": [0, 0], "item": ["0a", "1b"]})


def table(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_csv(pd.DataFrame({"id": ["0a"], "fold": [0], "part": ["test"]}), path)
    return path


def items(path: Path) -> Path:
    with hdf5.writing(path, ["0a"], np.zeros((1, 1)), ["x"], {}) as file:
        hdf5.add_items(file, "mel", (2, 3))[:] = 0
    return path


def checkpoint(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"maker": {}, "state": {"weight": torch.zeros(100)}}, path)
    return path


@bad_input("Files of a run", "a table changed by hand", "split/grouped.csv", "SHA-256", RERUN)
def changed_table(folder: Path) -> None:
    path = table(RUN / "split/grouped.csv")
    integrity.record(path)
    path.write_text(path.read_text().replace("test", "train"))
    integrity.verify_inputs([path])


@bad_input("Files of a run", "a checksum is missing", "presets.csv", "run again", "sha256sum", error=FileNotFoundError)
def missing_checksum(folder: Path) -> None:
    integrity.verify_inputs([table(RUN / "presets.csv")])


@bad_input(
    "Files of a run", "a file of another fold", "fold1/cnn/scores.csv", "is a copy of", "fold0/cnn/scores.csv", RERUN
)
def copied_file(folder: Path) -> None:
    path, copy = (RUN / f"grouped/fold{fold}/cnn/scores.csv" for fold in (0, 1))
    integrity.record(table(path))
    copy.parent.mkdir(parents=True)
    for source in (path, integrity.checksum_path(path)):
        shutil.copy(source, copy.parent)
    integrity.verify_inputs([copy])


@bad_input("Files of a run", "a truncated HDF5 file", "features/0.h5", "truncated", RERUN)
def truncated_hdf5(folder: Path) -> None:
    path = items(RUN / "features/0.h5")
    path.write_bytes(path.read_bytes()[:-100])
    with hdf5.reading(path):
        pass


@bad_input("Files of a run", "a text file with the name of an HDF5 file", "audio/0.h5", "not HDF5", RERUN)
def text_as_hdf5(folder: Path) -> None:
    table(RUN / "audio/0.h5")
    with hdf5.reading(RUN / "audio/0.h5"):
        pass


@bad_input("Files of a run", "an HDF5 file of something else", "audio/0.h5", "not an item file", RERUN)
def foreign_hdf5(folder: Path) -> None:
    path = RUN / "audio/0.h5"
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        file["x"] = 1
    with hdf5.reading(path):
        pass


@bad_input("Files of a run", "an empty table", "presets.csv", "EmptyDataError", RERUN)
def empty_table(folder: Path) -> None:
    table(RUN / "presets.csv").write_text("")
    read_table(RUN / "presets.csv", spec.load("amsynth"))


@bad_input("Files of a run", "a table with a value that is no number", "presets.csv", "amp_attack = loud", "0..1")
def text_in_table(folder: Path) -> None:
    synth = spec.load("amsynth")
    values = dict.fromkeys(synth.names, 0.5) | {"amp_attack": "loud"}
    write_csv(pd.DataFrame([{"id": "0a", "name": "A", "bank": "b"} | values]), Path("presets.csv"))
    read_table(Path("presets.csv"), synth)


def freeze(folder: Path) -> Path:
    shutil.copytree(ROOT / BASELINES, BASELINES)
    return BASELINES


@bad_input("Baselines", "a changed file of scores", "scores.csv.gz", "SHA-256", GIT)
def changed_scores(folder: Path) -> None:
    path = freeze(folder) / "scores.csv.gz"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    read_scores(BASELINES, budget="cpu", dataset="amsynth16", split="grouped")


@bad_input("Baselines", "a manifest without the hashes", "manifest.json", "files", GIT)
def no_hashes(folder: Path) -> None:
    path = freeze(folder) / "manifest.json"
    path.write_text(json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key != "files"}))
    read_scores(BASELINES, budget="cpu", dataset="amsynth16", split="grouped")


@bad_input("Baselines", "a truncated manifest", "manifest.json is damaged", "JSONDecodeError", GIT)
def truncated_manifest(folder: Path) -> None:
    path = freeze(folder) / "manifest.json"
    path.write_text(path.read_text()[:100])
    read_scores(BASELINES, budget="cpu", dataset="amsynth16", split="grouped")


@bad_input("Models", "a checkpoint with a changed byte", "checkpoint.pt is damaged", "wrong checksum", RERUN)
def changed_checkpoint(folder: Path) -> None:
    path = checkpoint(RUN / "grouped/fold0/cnn/checkpoint.pt")
    with zipfile.ZipFile(path) as archive:
        weights = next(member for member in archive.infolist() if member.file_size == 400)
    content = bytearray(path.read_bytes())
    content[content.index(b"weight") - 1 if weights is None else content.rindex(bytes(400)) + 100] ^= 1
    path.write_bytes(content)
    checkpoints.load(path)


@bad_input("Models", "an audio file as a checkpoint", "model.pt is damaged or not a checkpoint", "copy it again")
def sound_as_checkpoint(folder: Path) -> None:
    Path("model.pt").write_bytes(b"RIFF" + bytes(1000))
    checkpoints.load(Path("model.pt"))


@bad_input("Models", "a checkpoint of another program", "model.pt is not a checkpoint of flowsynth")
def foreign_checkpoint(folder: Path) -> None:
    torch.save({"state_dict": {}}, "model.pt")
    checkpoints.load(Path("model.pt"))


@bad_input("Models", "a checkpoint of a model that is not installed", "model.pt", "'wavenet'", "Install the package")
def unknown_model(folder: Path) -> None:
    torch.save({"maker": {}, "model": "wavenet", "arguments": {}, "state": {}}, "model.pt")
    checkpoints.load(Path("model.pt"))


@bad_input("Data sets", "no data set of this name", "amsynth16", "snakemake dataset", error=FileNotFoundError)
def no_data_set(folder: Path) -> None:
    load("amsynth16")


@bad_input(
    "Presets",
    "a cartridge of a DX7 with a changed bit",
    "mine.syx: byte 0: 32 voices: checksum 1, expected 0",
    "fix or remove the file",
)
def changed_cartridge(folder: Path) -> None:
    message = bytearray(dx7._message(dx7.BULK, bytes(4096)))
    message[-2] = 1
    Path("mine.syx").write_bytes(message)
    dx7.read(Path("mine.syx"), spec.load("dexed"))


@bad_input(
    "Presets",
    "a cartridge of a DX7 that is cut off",
    "mine.syx: byte 0: a message that does not end with F7",
    "fix or remove the file",
)
def cut_cartridge(folder: Path) -> None:
    Path("mine.syx").write_bytes(dx7._message(dx7.BULK, bytes(4096))[:2000])
    dx7.read(Path("mine.syx"), spec.load("dexed"))


@bad_input(
    "Presets",
    "a file of another synthesizer in place of DX7 voices",
    "mine.syx: has no DX7 voices",
    "another manufacturer (41)",
)
def other_messages(folder: Path) -> None:
    Path("mine.syx").write_bytes(bytes([0xF0, 0x41, 0x10, 0x42, 0xF7]))
    dx7.read(Path("mine.syx"), spec.load("dexed"))


@bad_input("Presets", "presets of one's own that are not there", "no bank matches my/*.syx", "name banks that exist")
def no_banks(folder: Path) -> None:
    collect(spec.load("dexed").with_banks("my/*.syx"), ("algorithm",))


@bad_input("Presets", "a bank with a value that is no number", "mine.bank:3", "amp_attack = 'loud'")
def text_in_bank(folder: Path) -> None:
    Path("mine.bank").write_text("amSynth\n<preset> <name> Mine\n<parameter> amp_attack loud\nEOF\n", encoding="utf-8")
    read_bank(Path("mine.bank"), spec.load("amsynth"))


def submit(text: str, name: str = "mine.csv") -> None:
    Path(name).write_text(text, encoding="utf-8")
    read_submission(Path(name), ("cutoff", "resonance"), EXPECTED)


@bad_input("Predictions of other models", "a missing column", "mine.csv", "resonance")
def submission_without_column(folder: Path) -> None:
    submit("fold,item,cutoff\n0,0a,0.5\n0,1b,0.5\n")


@bad_input("Predictions of other models", "a missing item", "mine.csv", "1b")
def submission_without_item(folder: Path) -> None:
    submit("fold,item,cutoff,resonance\n0,0a,0.5,0.5\n")


@bad_input("Predictions of other models", "a value outside 0 to 1", "mine.csv", "1.5")
def submission_out_of_range(folder: Path) -> None:
    submit("fold,item,cutoff,resonance\n0,0a,0.5,0.5\n0,1b,1.5,0.5\n")


@bad_input("Predictions of other models", "not a number", "mine.csv", "line 3", "nan")
def submission_with_nan(folder: Path) -> None:
    submit("fold,item,cutoff,resonance\n0,0a,0.5,0.5\n0,1b,nan,0.5\n")


@bad_input("Predictions of other models", "an item twice", "mine.csv", "0a")
def submission_with_duplicate(folder: Path) -> None:
    submit("fold,item,cutoff,resonance\n0,0a,0.5,0.5\n0,0a,0.5,0.5\n0,1b,0.5,0.5\n")


@bad_input("Predictions of other models", "an empty file", "mine.csv")
def empty_submission(folder: Path) -> None:
    submit("")


@bad_input("Predictions of other models", "a truncated HDF5 file", "mine.h5", "truncated")
def truncated_submission(folder: Path) -> None:
    path = items(Path("mine.h5"))
    path.write_bytes(path.read_bytes()[:-100])
    read_submission(path, ("cutoff", "resonance"), EXPECTED)


@bad_input("Predictions of other models", "a compressed file that fills the memory", "bomb.csv.gz", "more than")
def submission_bomb(folder: Path) -> None:
    with gzip.open("bomb.csv.gz", "wb", 1) as file:
        for _ in range(10):
            file.write(bytes(2**20))
    read_submission(Path("bomb.csv.gz"), ("cutoff", "resonance"), EXPECTED)


@bad_input(
    "Predictions of other models", "an HDF5 file that claims a terabyte", "bomb.h5 claims more than", "Don't use it"
)
def submission_claims_much(folder: Path) -> None:
    with h5py.File("bomb.h5", "w") as file:
        file.create_dataset("values", (10**9, 250), "f4", chunks=(1000, 250), compression="gzip")
    read_submission(Path("bomb.h5"), ("cutoff", "resonance"), EXPECTED)


@bad_input("Predictions of other models", "an HDF5 file that links to another", "mine.h5", "'values' is a link")
def submission_with_link(folder: Path) -> None:
    with h5py.File("mine.h5", "w") as file:
        file["values"] = h5py.ExternalLink("/etc/other.h5", "values")
    read_submission(Path("mine.h5"), ("cutoff", "resonance"), EXPECTED)
