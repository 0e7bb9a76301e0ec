"""The published data of Diva are read from files in their format; pickles in them are never executed."""

import copyreg
import io
import pickle
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from divas import (
    HOSTILE,
    NAMES,
    PARTS,
    PRESETS,
    TRACES,
    Calling,
    leave_trace,
    npy,
    npz,
    one_file,
    patch,
    reason,
    saved,
    some_tags,
    write_split,
)

from flowsynth.data import diva
from flowsynth.data.diva import numpy_objects, safe_pickle

# the data


def test_archive_is_read_completely(corpus: diva.Corpus):
    assert corpus.presets == tuple(sorted(PRESETS))
    assert corpus.names == tuple(NAMES)
    assert corpus.left_out == {}
    for row, preset in enumerate(corpus.presets):
        number = PRESETS.index(preset)
        np.testing.assert_allclose(corpus.values[row], [patch(number)[name] for name in NAMES])
        for tag, (first, second, _) in zip(corpus.tags[row], some_tags(number), strict=True):
            assert tag == first - second
    assert all(sound.shape == (88_320,) and sound.any() for sound in corpus.sounds.values())


def test_folder_and_archive_give_the_same_values(archive: Path, corpus: diva.Corpus, tmp_path: Path):
    with zipfile.ZipFile(archive) as files:
        files.extractall(tmp_path)
    for folder in (tmp_path, tmp_path / "raw"):
        np.testing.assert_array_equal(diva.read(folder).values, corpus.values)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("numpy_1", [False, True])
@pytest.mark.parametrize("kind", [float, np.float32, np.float64, np.float16])
def test_values_are_read_in_all_protocols_and_dtypes(protocol: int, numpy_1: bool, kind: Callable, tmp_path: Path):
    values = {name: kind(value) for name, value in patch(7).items()} | {"VCC: Switch0": 1, "VCC: Switch1": np.int64(0)}
    written = pickle.dumps(np.array(values, dtype=object), protocol=protocol)
    if numpy_1:  # rename the module; its length precedes it in protocol 4
        written = written.replace(b"\x16numpy._core.multiarray", b"\x15numpy.core.multiarray")
        written = written.replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray")
        assert b"numpy.core.multiarray" in written
    corpus = diva.read(one_file(tmp_path, npz(param=npy(written))))
    row = corpus.values[corpus.presets.index("odd")]
    np.testing.assert_array_equal(row, [float(values[name]) for name in NAMES])


@pytest.mark.parametrize("which", HOSTILE)
def test_hostile_pickle_is_reported_and_never_executed(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    if which == "extension":
        monkeypatch.setitem(copyreg._inverted_registry, 0x63, (__name__, "leave_trace"))  # type: ignore[attr-defined]
        monkeypatch.setitem(copyreg._extension_cache, 0x63, leave_trace)  # type: ignore[attr-defined]
    TRACES.clear()
    marker = tmp_path / "marker"
    monkeypatch.chdir(tmp_path)
    message = reason(one_file(tmp_path, npz(param=npy(HOSTILE[which]))))
    assert message.startswith("param: ")
    assert f"odd_60_100.npz is left out: {message}" in caplog.text
    assert not marker.exists()
    assert TRACES == []


def test_pickle_module_executes_the_hostile_pickles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    TRACES.clear()
    for which in ("os.system", "own function", "newobj", "inst", "obj", "value"):
        pickle.loads(HOSTILE[which])
    assert len(TRACES) >= 5
    assert (tmp_path / "marker").exists()


def test_message_names_the_rejected_function():
    content = safe_pickle.read(io.BytesIO(HOSTILE["os.system"]))
    with pytest.raises(ValueError, match=r"'(posix|nt|os)\.system'"):
        numpy_objects.to_list(content)


BAD = {
    "not a zip": (b"hello", "not a zip"),
    "half a zip": (npz()[:-2000], "not a zip"),
    "no audio": (npz(audio=None), "0 members audio"),
    "no tags": (npz(chars=None), "0 members chars"),
    "short": (
        npz(audio=saved(np.zeros(88_200, np.float16))),
        r"audio: got float16 of shape \(88200,\)",
    ),
    "stereo": (npz(audio=saved(np.zeros((2, 88_320), np.float16))), r"audio: got float16 of shape \(2, 88320\)"),
    "float32": (npz(audio=saved(np.zeros(88_320, np.float32))), "audio: got float32"),
    "a missing sample": (npz(audio=saved(np.full(88_320, np.nan, np.float16))), "audio: .*not finite"),
    "pickled audio": (npz(audio=npy(HOSTILE["own function"], "(88320,)")), "audio: got object"),
    "tags as floats": (npz(chars=saved(np.zeros((10, 3)))), "chars: got float64"),
    "nine tags": (npz(chars=saved(np.zeros((9, 3), int))), r"chars: got int64 of shape \(9, 3\)"),
    "half an array": (npz(audio=saved(np.zeros(88_320, np.float16))[:-100]), "cannot reshape"),
    "above": (npz(param=saved(np.array(patch(0) | {"OSC: FM": 1.01}))), r"param: 'OSC: FM' = 1\.01"),
    "below": (npz(param=saved(np.array(patch(0) | {"OSC: FM": -0.1}))), r"param: 'OSC: FM' = -0\.1"),
    "not a number": (npz(param=saved(np.array(patch(0) | {"OSC: FM": np.nan}))), "param: 'OSC: FM' = nan"),
    "a word": (npz(param=saved(np.array(patch(0) | {"OSC: FM": "loud"}))), "param: got a str"),
    "missing": (npz(param=saved(np.array(dict(list(patch(0).items())[1:])))), f"missing {NAMES[0]}, unexpected none"),
    "foreign": (npz(param=saved(np.array(patch(0) | {"Foo: Bar": 0.5}))), "missing none, unexpected Foo: Bar"),
    "two": (npz(param=saved(np.array([patch(0), patch(1)]))), r"param: got object of shape \(2,\)"),
    "a list": (npz(param=npy(pickle.dumps([1, 2]))), "param: .*expected"),
    "numbers": (npz(param=saved(np.zeros(281))), "param: got float64"),
    "a header without an end": (npz(param=b"\x93NUMPY\x01\x00\x02\x00{\n"), "damaged header"),
    "a header with a list as a name": (npz(param=b"\x93NUMPY\x01\x00\x08\x00{[]: 1}\n"), "damaged header: TypeError"),
    "a header of no type": (
        npz(param=b"\x93NUMPY\x01\x00\x34\x00{'descr': (), 'fortran_order': False, 'shape': ()} \n"),
        "damaged header",
    ),
}


@pytest.mark.parametrize("which", BAD)
def test_invalid_file_is_left_out_with_a_reason(which: str, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    data, expected = BAD[which]
    path = one_file(tmp_path, data)
    assert re.search(expected, reason(path)), reason(path)
    assert f"{path}: odd_60_100.npz is left out" in caplog.text


def test_file_with_another_note_is_left_out(tmp_path: Path):
    assert "x_62_100.npz" in reason(one_file(tmp_path, npz(), "x_62_100.npz"), "x_62_100.npz")


def test_damaged_archive_member_is_left_out(archive: Path, tmp_path: Path):
    damaged = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as files:
        middle = files.infolist()[5].header_offset + 300
        name = files.infolist()[5].filename.split("/")[-1]
    damaged[middle : middle + 50] = bytes(50)
    (tmp_path / "x.zip").write_bytes(damaged)
    assert list(diva.read(tmp_path / "x.zip").left_out) == [name]


def test_oversized_file_is_not_unpacked(tmp_path: Path):
    assert "bytes, expected" in reason(one_file(tmp_path, bytes(2**23 + 1)))


@pytest.mark.parametrize("kind", ["old", "new", "npz", "numpy names"])
def test_published_split_is_read_without_its_classes(kind: str, tmp_path: Path):
    parts = tuple(np.array(part) for part in PARTS) if kind == "numpy names" else PARTS
    path = write_split(tmp_path / ("s.npz" if kind == "npz" else "s.th"), *parts, zipped=kind == "new")
    assert b"CompSynthesizerDataset" in path.read_bytes()
    assert "utils.data" not in sys.modules
    expected = ["train"] * 30 + ["valid"] * 5 + ["test"] * 5
    assert diva.read_split(path) == dict(zip(PRESETS, expected, strict=True))


def test_invalid_split_file_raises(tmp_path: Path):
    path = tmp_path / "split.th"
    with pytest.raises(FileNotFoundError, match=r"split\.th does not exist"):
        diva.read_split(path)
    for data in (b"", b"hello", HOSTILE["own function"], pickle.dumps(1) * 5):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"split\.th is not a published split"):
            diva.read_split(path)
    torch.save([Calling(leave_trace, ())] * 3, path, _use_new_zipfile_serialization=False)
    TRACES.clear()
    with pytest.raises(ValueError, match=r"leave_trace' without dataset"):
        diva.read_split(path)
    assert TRACES == []
    for parts, expected in (
        (PARTS[:2], "2 parts"),
        ((PARTS[0], [], PARTS[2]), "valid is empty"),
        ((PARTS[0], PARTS[1], PARTS[1]), "valid and test"),
        ((PARTS[0], ["x.npz"], PARTS[1]), r"'x\.npz'"),
    ):
        with pytest.raises(ValueError, match=expected):
            diva.read_split(write_split(path, *parts))
