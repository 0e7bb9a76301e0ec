"""The published data of Diva are read from files made to their format, and pickles in them do nothing."""

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
    DEALT,
    HOSTILE,
    NAMES,
    PRESETS,
    TOUCHED,
    Calling,
    npy,
    npz,
    one_file,
    patch,
    reason,
    saved,
    some_tags,
    touch,
    write_split,
)

from flowsynth.data import diva
from flowsynth.data.diva import numpy_objects, safe_pickle

# the data


def test_presets_are_read_whole(corpus: diva.Corpus):
    assert corpus.presets == tuple(sorted(PRESETS))
    assert corpus.names == tuple(NAMES)
    assert corpus.left_out == {}
    for row, preset in enumerate(corpus.presets):
        number = PRESETS.index(preset)
        np.testing.assert_allclose(corpus.values[row], [patch(number)[name] for name in NAMES])
        for tag, (first, second, _) in zip(corpus.tags[row], some_tags(number), strict=True):
            assert tag == first - second
    assert all(sound.shape == (88_320,) and sound.any() for sound in corpus.sounds.values())


def test_a_folder_gives_what_the_archive_gives(archive: Path, corpus: diva.Corpus, tmp_path: Path):
    with zipfile.ZipFile(archive) as files:
        files.extractall(tmp_path)
    for folder in (tmp_path, tmp_path / "raw"):
        np.testing.assert_array_equal(diva.read(folder).values, corpus.values)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("numpy_1", [False, True])
@pytest.mark.parametrize("kind", [float, np.float32, np.float64, np.float16])
def test_values_are_read_as_any_numpy_wrote_them(protocol: int, numpy_1: bool, kind: Callable, tmp_path: Path):
    values = {name: kind(value) for name, value in patch(7).items()} | {"VCC: Switch0": 1, "VCC: Switch1": np.int64(0)}
    written = pickle.dumps(np.array(values, dtype=object), protocol=protocol)
    if numpy_1:  # the same module by its old name; before it stands its length, or nothing
        written = written.replace(b"\x16numpy._core.multiarray", b"\x15numpy.core.multiarray")
        written = written.replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray")
        assert b"numpy.core.multiarray" in written
    found = diva.read(one_file(tmp_path, npz(param=npy(written))))
    row = found.values[found.presets.index("odd")]
    np.testing.assert_array_equal(row, [float(values[name]) for name in NAMES])


@pytest.mark.parametrize("which", HOSTILE)
def test_a_hostile_or_damaged_pickle_does_nothing_and_its_file_is_named(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    if which == "extension":
        monkeypatch.setitem(copyreg._inverted_registry, 0x63, (__name__, "touch"))  # type: ignore[attr-defined]
        monkeypatch.setitem(copyreg._extension_cache, 0x63, touch)  # type: ignore[attr-defined]
    TOUCHED.clear()
    marker = tmp_path / "marker"
    payload = HOSTILE[which].replace(b"{marker}", b"marker")
    monkeypatch.chdir(tmp_path)
    said = reason(one_file(tmp_path, npz(param=npy(payload))))
    assert said.startswith("param: ")
    assert "odd_60_100.npz is left out: param: " in caplog.text
    assert not marker.exists()
    assert TOUCHED == []


def test_the_hostile_pickles_would_have_done_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    TOUCHED.clear()
    for which in ("our own", "newobj", "inst", "obj", "a value"):
        pickle.loads(HOSTILE[which].replace(b"{marker}", b"marker"))
    assert len(TOUCHED) >= 5


def test_a_message_tells_what_would_have_been_called():
    found = safe_pickle.read(io.BytesIO(HOSTILE["os.system"]))
    with pytest.raises(ValueError, match=r"a thing made by '(posix|nt|os)\.system', expected a list or an array"):
        numpy_objects.elements(found)


BAD = {
    "no zip": (b"hello", "not a zip"),
    "half a zip": (npz()[:-2000], "not a zip"),
    "no audio": (npz(audio=None), "got 0 members audio, expected one"),
    "no tags": (npz(chars=None), "got 0 members chars"),
    "short": (
        npz(audio=saved(np.zeros(88_200, np.float16))),
        r"audio: got float16 of the shape \(88200,\), expected f2",
    ),
    "stereo": (npz(audio=saved(np.zeros((2, 88_320), np.float16))), "audio: got float16 of the shape"),
    "float32": (npz(audio=saved(np.zeros(88_320, np.float32))), "audio: got float32"),
    "a gap": (npz(audio=saved(np.full(88_320, np.nan, np.float16))), "audio: a sample is not finite"),
    "pickled audio": (npz(audio=npy(HOSTILE["our own"], "(88320,)")), "audio: got object"),
    "tags as floats": (npz(chars=saved(np.zeros((10, 3)))), "chars: got float64"),
    "nine tags": (npz(chars=saved(np.zeros((9, 3), int))), r"chars: got int64 of the shape \(9, 3\)"),
    "half an array": (npz(audio=saved(np.zeros(88_320, np.float16))[:-100]), "cannot reshape"),
    "above": (npz(param=saved(np.array(patch(0) | {"OSC: FM": 1.01}))), r"param: 'OSC: FM' = 1\.01, expected 0\.\.1"),
    "below": (npz(param=saved(np.array(patch(0) | {"OSC: FM": -0.1}))), r"param: 'OSC: FM' = -0\.1, expected"),
    "not a number": (npz(param=saved(np.array(patch(0) | {"OSC: FM": np.nan}))), "param: 'OSC: FM' = nan, expected"),
    "a word": (npz(param=saved(np.array(patch(0) | {"OSC: FM": "loud"}))), "param: a str, expected a number"),
    "missing": (npz(param=saved(np.array(dict(list(patch(0).items())[1:])))), f"it lacks {NAMES[0]}, and has nothing"),
    "foreign": (npz(param=saved(np.array(patch(0) | {"Foo: Bar": 0.5}))), "lacks nothing, and has Foo: Bar besides"),
    "two": (npz(param=saved(np.array([patch(0), patch(1)]))), r"param: got object of the shape \(2,\)"),
    "a list": (npz(param=npy(pickle.dumps([1, 2]))), "param: .*expected"),
    "numbers": (npz(param=saved(np.zeros(281))), "param: got float64"),
    "a header without an end": (npz(param=b"\x93NUMPY\x01\x00\x02\x00{\n"), "a damaged header"),
    "a header with a list as a name": (npz(param=b"\x93NUMPY\x01\x00\x08\x00{[]: 1}\n"), "a damaged header: TypeError"),
    "a header of no type": (
        npz(param=b"\x93NUMPY\x01\x00\x34\x00{'descr': (), 'fortran_order': False, 'shape': ()} \n"),
        "a damaged header",
    ),
}


@pytest.mark.parametrize("which", BAD)
def test_a_bad_file_is_left_out_and_it_is_said_why(which: str, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    data, expected = BAD[which]
    path = one_file(tmp_path, data)
    assert re.search(expected, reason(path)), reason(path)
    assert f"{path}: odd_60_100.npz is left out" in caplog.text


def test_another_note_is_left_out(tmp_path: Path):
    assert "as the note is 60" in reason(one_file(tmp_path, npz(), "x_62_100.npz"), "x_62_100.npz")


def test_a_damaged_member_of_the_archive_is_left_out(archive: Path, tmp_path: Path):
    damaged = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as files:
        middle = files.infolist()[5].header_offset + 300
        name = files.infolist()[5].filename.split("/")[-1]
    damaged[middle : middle + 50] = bytes(50)
    (tmp_path / "x.zip").write_bytes(damaged)
    assert list(diva.read(tmp_path / "x.zip").left_out) == [name]


def test_a_file_that_is_far_too_large_is_not_unpacked(tmp_path: Path):
    assert "bytes, expected" in reason(one_file(tmp_path, bytes(2**23 + 1)))


@pytest.mark.parametrize("kind", ["old", "new", "npz", "numpy names"])
def test_the_published_split_is_read_without_its_classes(kind: str, tmp_path: Path):
    parts = tuple(np.array(part) for part in DEALT) if kind == "numpy names" else DEALT
    path = write_split(tmp_path / ("s.npz" if kind == "npz" else "s.th"), *parts, zipped=kind == "new")
    assert b"CompSynthesizerDataset" in path.read_bytes()
    assert "utils.data" not in sys.modules
    expected = ["train"] * 30 + ["valid"] * 5 + ["test"] * 5
    assert diva.read_split(path) == dict(zip(PRESETS, expected, strict=True))


def test_what_is_no_split_is_refused(tmp_path: Path):
    path = tmp_path / "split.th"
    with pytest.raises(FileNotFoundError, match="there is no"):
        diva.read_split(path)
    for data in (b"", b"hello", HOSTILE["our own"], pickle.dumps(1) * 5):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"split\.th is no published split"):
            diva.read_split(path)
    torch.save([Calling(touch, ())] * 3, path, _use_new_zipfile_serialization=False)
    TOUCHED.clear()
    with pytest.raises(ValueError, match=r"touch' without dataset"):
        diva.read_split(path)
    assert TOUCHED == []
    for parts, expected in (
        (DEALT[:2], "got 2 parts"),
        ((DEALT[0], [], DEALT[2]), "valid is empty"),
        ((DEALT[0], DEALT[1], DEALT[1]), "stands in valid and again in test"),
        ((DEALT[0], ["x.npz"], DEALT[1]), "the name 'x.npz'"),
    ):
        with pytest.raises(ValueError, match=expected):
            diva.read_split(write_split(path, *parts))
