"""Models and data sets of others that are damaged, or made to do harm."""

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import h5py
import numpy as np
import torch
from bad_inputs import bad_input

from flowsynth.core import hdf5
from flowsynth.data import datasets
from flowsynth.data.diva import splits
from flowsynth.data.presets import read_bank
from flowsynth.inference.model_index import find_model, open_model
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.synths import spec
from flowsynth.synths.parameter_space import ParameterSpace
from flowsynth.training import checkpoints

TINY = Size(layers=2, channels=2, kernel=3, mlp_layers=2, units=4, dropout=0.0)
HARM = "x.pt is not safe to load"


def checkpoint(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Load a checkpoint with another content."""

    def use(folder: Path) -> None:
        model = models.find("mlp")(16, 20, ParameterSpace.continuous(["cutoff"]), TINY)
        checkpoints.save(model, "mlp", {}, {}, folder / "x.pt")
        content = torch.load(folder / "x.pt", weights_only=True)
        change(content)
        torch.save(content, folder / "x.pt")
        checkpoints.load(folder / "x.pt")

    return use


def exported(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Open an exported model with another content of its run."""

    def use(folder: Path) -> None:
        content = torch.load(find_model("npe_nsf"), weights_only=True)
        change(content["run"])
        torch.save(content, folder / "x.pt")
        open_model(folder / "x.pt")

    return use


def doubled(levels: int) -> list:
    """A list of 2 ** levels items, that takes the memory of as many levels."""
    return [doubled(levels - 1)] * 2 if levels else []


bad_input("Models", "networks larger than the file", HARM, "don't use it", "many times as large as the file")(
    checkpoint(lambda content: content["arguments"]["size"].update(units=1_000_000))
)
bad_input("Models", "spectrograms of impossible size", HARM, "spectrograms of up to")(
    checkpoint(lambda content: content["arguments"].update(mels=10_000, frames=10_000))
)
bad_input("Models", "a size that is no number", HARM, "n_fft = None, expected a whole number")(
    checkpoint(lambda content: content["features"].update(n_fft=None))
)
bad_input("Models", "a tensor larger than its memory", HARM, "tensors that are larger than their memory")(
    checkpoint(lambda content: content["state"].update(x=torch.zeros(1).expand(10**12)))
)
bad_input("Models", "values that share parts a million times", HARM, "its content is larger than the file")(
    checkpoint(lambda content: content["maker"].update(x=doubled(20)))
)


@bad_input("Models", "compressed, as it may fill the memory", HARM, "its content is compressed")
def compressed_model(folder: Path) -> None:
    with zipfile.ZipFile(folder / "x.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", bytes(10_000))
    checkpoints.load(folder / "x.pt")


bad_input(
    "Models", "an exported model of a note that lasts for years", "x.pt has damaged data", "duration of the note"
)(exported(lambda run: run["note"].update(duration=1e9)))
bad_input(
    "Models", "an exported model of another shape", "values of train are of shape (1, 3)", "export the model again"
)(exported(lambda run: run["train"].update(values=torch.zeros(1, 3))))
bad_input("Models", "an exported model of an unknown data set", "unknown data set 'x16'", "amsynth16")(
    exported(lambda run: run.update(dataset="x16"))
)


def data_set(name: str) -> Callable[[Path], None]:
    """Verify a file of a data set whose list of checksums has another name."""

    def use(folder: Path) -> None:
        (folder / "SHA256SUMS").write_text(f"{'0' * 64}  {name}\n")
        datasets.verified(folder, [folder / "presets.csv"])

    return use


bad_input("Data sets", "a file outside of the folder", "SHA256SUMS: the name '../../secret' leads out of the folder")(
    data_set("../../secret")
)
bad_input("Data sets", "an absolute name", "the name '/etc/passwd' leads out of the folder")(data_set("/etc/passwd"))
bad_input("Data sets", "a damaged list of checksums", "SHA256SUMS:2: got", "expected a checksum and a name")(
    data_set("x\ny")
)


@bad_input("Data sets", "a link in the folder", "audio is a link", "cp -rL")
def link(folder: Path) -> None:
    (folder / "audio").symlink_to("/dev")
    data_set("audio/zero")(folder)


def item_file(change: Callable[[h5py.File], object]) -> Callable[[Path], None]:
    """Verify an HDF5 file of a data set with another content."""

    def use(folder: Path) -> None:
        path = folder / "0.h5"
        with hdf5.writing(path, ["a"], np.zeros((1, 2)), ["cutoff", "level"], {}):
            pass
        with h5py.File(path, "r+", locking=False) as file:
            change(file)
        (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  0.h5\n")
        datasets.verified(folder, [path])

    return use


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((1, 1000), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "audio", (1, 1000), "f4")
    file.create_virtual_dataset("audio", layout)


BILLION = (10**9, 1000)
bad_input("Data sets", "numbers that are compressed or not there", "0.h5 claims more than its size", "Don't use it")(
    item_file(lambda file: file.create_dataset("audio", BILLION, "f4", chunks=(1000, 1000), compression="gzip"))
)
bad_input("Data sets", "more numbers than a number of 64 bits counts", "0.h5 claims more than its size")(
    item_file(lambda file: file.create_dataset("audio", (2**32, 2**32), "f4", chunks=(1, 1000)))
)
bad_input("Data sets", "a link to another HDF5 file", "0.h5: 'audio' is a link, maybe to another file")(
    item_file(lambda file: file.__setitem__("audio", h5py.ExternalLink("/tmp/other.h5", "audio")))
)
bad_input("Data sets", "numbers in another file", "0.h5: 'audio' is no data of this file")(
    item_file(lambda file: file.create_dataset("audio", (1, 8), "f4", external=[("/etc/passwd", 0, 32)]))
)
bad_input("Data sets", "numbers of another HDF5 file", "0.h5: 'audio' is no data of this file")(item_file(virtual))
bad_input("Data sets", "values that are no numbers", "0.h5: 'audio' has the type", "expected numbers")(
    item_file(lambda file: file.create_dataset("audio", (1,), dtype=h5py.ref_dtype))
)


@bad_input("Data sets", "a table of a million columns", "presets.csv: the first line has more than 131,072 bytes")
def columns(folder: Path) -> None:
    (folder / "presets.csv").write_text(",".join(map(str, range(1_000_000))))
    checksum = hashlib.sha256((folder / "presets.csv").read_bytes()).hexdigest()
    (folder / "SHA256SUMS").write_text(f"{checksum}  presets.csv\n")
    datasets.verified(folder, [folder / "presets.csv"])


@bad_input(
    "Data sets",
    "a published split that inflates",
    "split.th is not a published split",
    "10,000 bytes, expected at most",
)
def inflating_split(folder: Path) -> None:
    with zipfile.ZipFile(folder / "split.th", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10_000))
    with mock.patch.object(splits, "MAX_BYTES", 1_000):
        splits.read_split(folder / "split.th")


@bad_input(
    "Presets", "a bank with many faults", "x.bank:2: got 'x', expected", "and 80 more lines", "fix or remove the bank"
)
def bank(folder: Path) -> None:
    (folder / "x.bank").write_text("\n".join(["amsynth", *["x"] * 99]))
    read_bank(folder / "x.bank", spec.load("amsynth"))
