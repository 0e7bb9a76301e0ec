"""Files in the format of the published data of Diva: valid, damaged and hostile ones."""

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
    """Values of a preset: 64 individual parameters on the base patch."""
    rng = np.random.default_rng(number)
    return {name: rng.random() if name in diva.SETS[64] else 0.25 for name in NAMES}


def npy(payload: bytes, shape: str = "()", kind: str = "|O") -> bytes:
    """File of a numpy object array with any pickle as its content."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + payload


def saved(array: object) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def some_tags(number: int) -> np.ndarray:
    return np.eye(3, dtype=np.int64)[(np.arange(10) + number) % 3]


def npz(number: int = 0, **members: bytes | None) -> bytes:
    """File of a preset; members can be replaced, or omitted with None."""
    audio = np.sin(np.arange(88_320) * (number + 1) / 50).astype(np.float16)
    param = saved(np.array(patch(number), dtype=object))
    arrays = {"param": param, "audio": saved(audio), "chars": saved(some_tags(number))} | members
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in arrays.items():
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
    """Archive of two valid files and another one."""
    return write_archive(tmp_path / "diva_raw.zip", dict(list(FILES.items())[:2]) | {f"raw/{name}": data})


def reason(path: Path, name: str = "odd_60_100.npz") -> str:
    """Reason why the other file was left out."""
    corpus = diva.read(path)
    assert corpus.presets == tuple(sorted(PRESETS[:2]))
    assert list(corpus.left_out) == [name]
    return corpus.left_out[name]


TRACES: list[str] = []


class Tracing:
    """Class that leaves a trace if any of its methods is called."""

    def __new__(cls, *arguments: object) -> "Tracing":
        TRACES.append("new")
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        TRACES.append("setstate")

    def __reduce__(self) -> tuple:
        return Tracing, (), {"a": 1}


class Calling:
    """Object whose unpickling calls a function."""

    def __init__(self, *reduced: object):
        self.reduced = reduced

    def __reduce__(self) -> tuple:
        return self.reduced  # type: ignore[return-value]


def leave_trace(*_: object) -> None:
    TRACES.append("called")


def short_text(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


HOSTILE = {
    "os.system": pickle.dumps(Calling(os.system, ("touch marker",))),
    "eval": pickle.dumps(Calling(eval, ("open('marker', 'w')",))),
    "own function": pickle.dumps(Calling(leave_trace, ())),
    "numpy": pickle.dumps(Calling(np.fromfile, ("marker",))),
    "savetxt": pickle.dumps(Calling(np.savetxt, ("marker", [1.0]))),
    "dotted": b"\x80\x04"
    + short_text("os")
    + short_text("path.os.system")
    + b"\x93"
    + short_text("touch marker")
    + b"\x85R.",
    "setstate": pickle.dumps(object.__new__(Tracing), protocol=4),
    "newobj": f"\x80\x02c{__name__}\nTracing\n)\x81}}b.".encode("latin-1"),
    "inst": f"(i{__name__}\nleave_trace\n.".encode(),
    "obj": f"(c{__name__}\nleave_trace\no.".encode(),
    "extension": b"\x80\x02\x82\x63)R.",
    "persistent": b"\x80\x02" + b"X\x01\x00\x00\x00aQ.",
    "value": pickle.dumps(np.array(patch(0) | {"MOD: Quantise": Calling(leave_trace, ())}, dtype=object)),
    "key": pickle.dumps(np.array({Calling(leave_trace, ()): 0.5}, dtype=object)),
    "scalar": pickle.dumps(
        np.array({"a": Calling(leave_trace, ()), "b": Calling(np._core.multiarray.scalar, (leave_trace, 1))})
    ),
    "state of a dictionary": b"\x80\x02}}b.",
    "list as a key": b"\x80\x02}]K\x01s.",
    "huge memo index": b"\x80\x02Nr\xff\xff\xff\xffNr\xfe\xff\xff\xff.",
    "unmatched mark": b"\x80\x02(.",
    "empty stack": b"\x80\x02.",
    "no end": b"\x80\x02N",
    "not a pickle": b"hello",
    "empty": b"",
    "deep": b"\x80\x02" + b")" + b"\x85" * 50_000 + b".",
    "dtype with an endless repr": b"\x80\x02]}X\x01\x00\x00\x00acnumpy._core.multiarray\nscalar\ncnumpy\ndtype\n)"
    + b"q\x00h\x00\x86" * 40
    + b"\x85RC\x00\x86Rsa.",
    # array of objects from raw bytes, with a dtype whose forged flags hide the objects
    "forged dtype flags": b"\x80\x03cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R("
    + b"K\x01K\x01\x85cnumpy\ndtype\n(X\x02\x00\x00\x00O8\x89\x88tR"
    + b"(K\x03X\x01\x00\x00\x00|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89C\x08AAAAAAAAtb.",
    "call with a list as arguments": b"\x80\x02cbuiltins\nlist\n]q\x00NaR.",
    "deep key": b"\x80\x02}" + b")" + b"\x85" * 50_000 + b"Ns.",
}


class CompSynthesizerDataset(Dataset):
    """Stand-in for the data set of the published code."""

    def __init__(self, data_files: object):
        self.data_files = data_files
        self.means = [torch.zeros(1)]  # stored outside the pickle, which refers to it by a persistent id

    def __len__(self) -> int:
        return len(self.data_files)  # type: ignore[arg-type]


def loaders(*parts: object) -> list[DataLoader]:
    return [DataLoader(CompSynthesizerDataset(part), batch_size=8) for part in parts]


def paths_of(presets_: list[str]) -> list[str]:
    return [f"/fast/diva/64par/raw/{preset}_60_100.npz" for preset in presets_]


PARTS = paths_of(PRESETS[:30]), paths_of(PRESETS[30:35]), paths_of(PRESETS[35:])


def write_split(path: Path, *parts: object, zipped: bool = False) -> Path:
    """Save a split as PyTorch does, with classes that are not importable when it is read."""
    module = types.ModuleType("utils.data")
    vars(module)["CompSynthesizerDataset"] = CompSynthesizerDataset
    CompSynthesizerDataset.__module__ = "utils.data"
    with pytest.MonkeyPatch.context() as patching:
        patching.setitem(sys.modules, "utils", types.ModuleType("utils"))
        patching.setitem(sys.modules, "utils.data", module)
        objects = loaders(*(parts or PARTS))
        if path.suffix == ".npz":
            array = np.empty(3, dtype=object)
            array[:] = objects
            np.savez(path, array)
        else:
            torch.save(objects, path, _use_new_zipfile_serialization=zipped)
    return path
