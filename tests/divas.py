"""Files of the format of the published data of Diva: whole, damaged and hostile ones."""

import hashlib
import io
import os
import pickle
import struct
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from flowsynth.data import diva

NAMES = sorted(diva.SETS[128] | {f"VCC: Switch{i}" for i in range(153)})
PRESETS = [hashlib.md5(str(i).encode()).hexdigest() for i in range(40)]


def patch(number: int) -> dict[str, float]:
    """A preset: 64 parameters of its own on the base patch."""
    rng = np.random.default_rng(number)
    return {name: rng.random() if name in diva.SETS[64] else 0.25 for name in NAMES}


def npy(payload: bytes, shape: str = "()", kind: str = "|O") -> bytes:
    """An array of numpy of a pickle that may be anything."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + payload


def saved(array: object) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def some_tags(number: int) -> np.ndarray:
    return np.eye(3, dtype=np.int64)[(np.arange(10) + number) % 3]


def npz(number: int = 0, **members: bytes | None) -> bytes:
    """The file of a preset; members may be replaced, or left away if they are None."""
    audio = np.sin(np.arange(88_320) * (number + 1) / 50).astype(np.float16)
    param = saved(np.array(patch(number), dtype=object))
    written = {"param": param, "audio": saved(audio), "chars": saved(some_tags(number))} | members
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in written.items():
            if data is not None:
                archive.writestr(f"{name}.npy", data)
    return file.getvalue()


def write_archive(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


FILES = {f"raw/{preset}_60_100.npz": npz(number) for number, preset in enumerate(PRESETS)}


def one_file(tmp_path: Path, data: bytes, name: str = "odd_60_100.npz") -> Path:
    """An archive of two good files and another."""
    return write_archive(tmp_path / "diva_raw.zip", dict(list(FILES.items())[:2]) | {f"raw/{name}": data})


def reason(path: Path, name: str = "odd_60_100.npz") -> str:
    """Why the other file was left out."""
    found = diva.read(path)
    assert found.presets == tuple(sorted(PRESETS[:2]))
    assert list(found.left_out) == [name]
    return found.left_out[name]


TOUCHED: list[str] = []


class Touching:
    """Would leave a trace if anything of it was called."""

    def __new__(cls, *arguments: object) -> "Touching":
        TOUCHED.append("new")
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        TOUCHED.append("setstate")

    def __reduce__(self) -> tuple:
        return Touching, (), {"a": 1}


class Calling:
    """Has something called when it is unpickled."""

    def __init__(self, *reduced: object):
        self.reduced = reduced

    def __reduce__(self) -> tuple:
        return self.reduced  # type: ignore[return-value]


def touch(*_: object) -> None:
    TOUCHED.append("called")


def text(said: str) -> bytes:
    return b"\x8c" + bytes([len(said)]) + said.encode()


HERE = f"{__name__} touch"
HOSTILE = {
    "os.system": pickle.dumps(Calling(os.system, ("touch {marker}",))),
    "eval": pickle.dumps(Calling(eval, ("open('{marker}', 'w')",))),
    "our own": pickle.dumps(Calling(touch, ())),
    "numpy": pickle.dumps(Calling(np.fromfile, ("{marker}",))),
    "savetxt": pickle.dumps(Calling(np.savetxt, ("{marker}", [1.0]))),
    "dotted": b"\x80\x04" + text("os") + text("path.os.system") + b"\x93" + text("touch {marker}") + b"\x85R.",
    "setstate": pickle.dumps(object.__new__(Touching), protocol=4),
    "newobj": f"\x80\x02c{__name__}\nTouching\n)\x81}}b.".encode("latin-1"),
    "inst": f"(i{__name__}\ntouch\n.".encode(),
    "obj": f"(c{__name__}\ntouch\no.".encode(),
    "extension": b"\x80\x02\x82\x63)R.",
    "persistent": b"\x80\x02" + b"X\x01\x00\x00\x00aQ.",
    "a value": pickle.dumps(np.array(patch(0) | {"MOD: Quantise": Calling(touch, ())}, dtype=object)),
    "a name": pickle.dumps(np.array({Calling(touch, ()): 0.5}, dtype=object)),
    "a scalar": pickle.dumps(np.array({"a": Calling(touch, ()), "b": Calling(np._core.multiarray.scalar, (touch, 1))})),
    "the state of a dictionary": b"\x80\x02}}b.",
    "a list as a name": b"\x80\x02}]K\x01s.",
    "a huge place in the memo": b"\x80\x02Nr\xff\xff\xff\xffNr\xfe\xff\xff\xff.",
    "a mark too many": b"\x80\x02(.",
    "an empty stack": b"\x80\x02.",
    "no end": b"\x80\x02N",
    "no pickle": b"hello",
    "nothing": b"",
    "deep": b"\x80\x02" + b")" + b"\x85" * 50_000 + b".",
    "a type whose text is endless": b"\x80\x02]}X\x01\x00\x00\x00acnumpy._core.multiarray\nscalar\ncnumpy\ndtype\n)"
    + b"2\x86" * 40
    + b"\x85RC\x00\x86Rsa.",
    "a call with what is remembered": b"\x80\x02cbuiltins\nlist\n]q\x00NaR.",
    "a deep name": b"\x80\x02}" + b")" + b"\x85" * 50_000 + b"Ns.",
}


class CompSynthesizerDataset(Dataset):
    """Stands for the data set of the published code."""

    def __init__(self, data_files: object):
        self.data_files = data_files
        self.means = [torch.zeros(1)]  # kept outside of the pickle, which refers to it by a persistent id

    def __len__(self) -> int:
        return len(self.data_files)  # type: ignore[arg-type]


def loaders(*parts: object) -> list[DataLoader]:
    return [DataLoader(CompSynthesizerDataset(part), batch_size=8) for part in parts]


def paths_of(presets_: list[str]) -> list[str]:
    return [f"/fast/diva/64par/raw/{preset}_60_100.npz" for preset in presets_]


DEALT = paths_of(PRESETS[:30]), paths_of(PRESETS[30:35]), paths_of(PRESETS[35:])


def write_split(path: Path, *parts: object, zipped: bool = False) -> Path:
    """Save a split as PyTorch did it, by classes that nobody has when it is read."""
    module = types.ModuleType("utils.data")
    vars(module)["CompSynthesizerDataset"] = CompSynthesizerDataset
    CompSynthesizerDataset.__module__ = "utils.data"
    with pytest.MonkeyPatch.context() as patching:
        patching.setitem(sys.modules, "utils", types.ModuleType("utils"))
        patching.setitem(sys.modules, "utils.data", module)
        made = loaders(*(parts or DEALT))
        if path.suffix == ".npz":
            objects = np.empty(3, dtype=object)
            objects[:] = made
            np.savez(path, objects)
        else:
            torch.save(made, path, _use_new_zipfile_serialization=zipped)
    return path
