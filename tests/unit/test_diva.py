"""The import of the published data of Diva, from files made to their format, whole, damaged and hostile."""

import copyreg
import hashlib
import io
import os
import pickle
import re
import struct
import sys
import types
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from project import TINY, Project
from torch.utils.data import DataLoader, Dataset

from flowsynth import config, diva, pickles, presets, synths
from flowsynth.host import Host, _check
from flowsynth.play import Rendered
from flowsynth.split import split
from flowsynth.synths import diva as importing
from flowsynth.synths.inspect import NOTE

NAMES = sorted(diva.SETS[128] | {f"VCC: Switch{i}" for i in range(153)})
PRESETS = [hashlib.md5(str(i).encode()).hexdigest() for i in range(40)]
ROOT = Path(__file__).resolve().parents[2]


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


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("diva") / "diva_raw.zip", FILES, zipfile.ZIP_DEFLATED)


@pytest.fixture(scope="module")
def corpus(archive: Path) -> diva.Corpus:
    return diva.read(archive)


@pytest.fixture(scope="module")
def imported(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> synths.Synth:
    """The synthesizer as it is after an import with the published split, without a plugin."""
    folder = tmp_path_factory.mktemp("imported")
    importing.main([str(archive), "--split", str(write_split(folder / "split.th")), "--out", str(folder / "diva.yaml")])
    return synths.read(folder / "diva.yaml")


def one_file(tmp_path: Path, data: bytes, name: str = "odd_60_100.npz") -> Path:
    """An archive of two good files and another."""
    return write_archive(tmp_path / "diva_raw.zip", dict(list(FILES.items())[:2]) | {f"raw/{name}": data})


def reason(path: Path, name: str = "odd_60_100.npz") -> str:
    """Why the other file was left out."""
    found = diva.read(path)
    assert found.presets == tuple(sorted(PRESETS[:2]))
    assert list(found.left_out) == [name]
    return found.left_out[name]


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


def test_the_sets_are_the_published_ones(corpus: diva.Corpus):
    assert {size: len(names) for size, names in diva.SETS.items()} == {16: 16, 32: 32, 64: 64, 128: 128}
    assert diva.SETS[16] - diva.SETS[32] == {"OSC: OscMix"}
    assert diva.SETS[16] | diva.SETS[32] < diva.SETS[64] < diva.SETS[128]
    assert corpus.varying == diva.SETS[64]
    assert list(importing.sets(corpus)) == [16, 32, 64]


# pickles are read and never executed

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
    "a deep name": b"\x80\x02}" + b")" + b"\x85" * 50_000 + b"Ns.",
}


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
    found = pickles.read(io.BytesIO(HOSTILE["os.system"]))
    with pytest.raises(ValueError, match=r"a thing made by '(posix|nt|os)\.system', expected a list or an array"):
        pickles.elements(found)


# files that are not as they should be

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


def stopped(arguments: list[str], folder: Path) -> str:
    """The message that an import ends with; nothing may have been written."""
    before = sorted(folder.iterdir())
    with pytest.raises(SystemExit) as error:
        importing.main([*arguments, "--out", str(folder / "diva.yaml")])
    assert sorted(folder.iterdir()) == before
    return str(error.value)


def test_what_is_no_archive_is_refused_and_nothing_written(archive: Path, tmp_path: Path):
    path = tmp_path / "diva_raw.zip"
    assert "there is no" in stopped([str(path)], tmp_path)
    path.write_bytes(archive.read_bytes()[:-1000])
    assert "or not all of it" in stopped([str(path)], tmp_path)
    write_archive(path, {"mel/a_60_100.npz": npz(), "raw/._a_60_100.npz": b"", "raw/a.txt": b""})
    assert "no file raw/NAME.npz in it" in stopped([str(path)], tmp_path)
    write_archive(path, {"raw/a_60_100.npz": npz(), "again/raw/a_60_100.npz": npz()})
    assert "several files are called a_60_100.npz" in stopped([str(path)], tmp_path)
    write_archive(path, {"raw/a_60_100.npz": npz(param=saved(np.array({"OSC: FM": 0.5})))})
    assert "got 1 parameters, expected 281" in stopped([str(path)], tmp_path)
    write_archive(path, {"raw/a_60_100.npz": npz(), "raw/b_60_100.npz": npz()})
    assert "no published set of parameters varies" in stopped([str(path)], tmp_path)
    write_archive(path, {"raw/a_60_100.npz": npz(param=npy(HOSTILE["os.system"]))})
    assert "none of 1 files can be taken; a_60_100.npz: param: a thing made by" in stopped([str(path)], tmp_path)


def test_a_wrong_base_patch_is_refused(corpus: diva.Corpus, tmp_path: Path):
    for written, expected in (("{", "is no JSON"), ('{"Foo: Bar": 1}', "Foo: Bar"), ('{"OSC: FM": 2}', "OSC: FM = 2")):
        (tmp_path / "base.json").write_text(written)
        with pytest.raises(ValueError, match=rf"base\.json.*{expected}"):
            importing.base_patch(corpus, tmp_path / "base.json")


# the published split


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


def test_presets_and_split_that_do_not_meet(corpus: diva.Corpus, caplog: pytest.LogCaptureFixture):
    parts = dict(zip(PRESETS, ["train"] * 30 + ["valid"] * 5 + ["test"] * 4, strict=False)) | {"gone": "train"}
    assert len(importing.bank(corpus, parts)) == 39
    assert f"{PRESETS[39]} is left out: the published split does not name it" in caplog.text
    assert "1 of the 40 presets of the published split are not in the data" in caplog.text
    with pytest.raises(ValueError, match=r"the data have \['train'\]"):
        importing.bank(corpus, dict.fromkeys(PRESETS, "train"))


# what is imported, in the pipeline


def test_the_table_has_the_base_patch_and_the_sets(imported: synths.Synth, corpus: diva.Corpus):
    assert imported.names == tuple(NAMES)
    assert {size: set(names) for size, names in imported.sets.items()} == {n: diva.SETS[n] for n in (16, 32, 64)}
    np.testing.assert_allclose(imported.base, np.median(corpus.values, axis=0), atol=1e-6)
    assert (imported.parts, imported.users_home) == (True, True)


def test_presets_come_back_with_their_parts_and_tags(imported: synths.Synth, corpus: diva.Corpus):
    table, counts = presets.collect(imported, imported.sets[64])
    assert (counts["kept"], counts["values_clamped"]) == (40, 0)
    assert tuple(table["name"]) == corpus.presets
    np.testing.assert_allclose(table[list(NAMES)], corpus.values, atol=1e-6)
    assert dict(zip(table["name"], table["bank"], strict=True)) == diva.read_split(
        Path(imported.banks).parent / "split.th"
    )
    kept = pd.read_csv(imported.banks)
    assert [column for column in kept if column.startswith("tag:")] == [f"tag:{pair}" for pair in diva.PAIRS]
    np.testing.assert_array_equal(kept[[f"tag:{pair}" for pair in diva.PAIRS]], corpus.tags)


def test_presets_that_are_found_can_be_kept_as_text(imported: synths.Synth, corpus: diva.Corpus, tmp_path: Path):
    presets.write_bank(tmp_path / "x.bank", imported, ["a", "b"], corpus.values[:2])
    kept = [list(preset.values.values()) for preset in presets.read_bank(tmp_path / "x.bank", imported)]
    np.testing.assert_allclose(kept, corpus.values[:2], atol=1e-6)


@pytest.mark.parametrize("size", [16, 32])
def test_a_smaller_set_leaves_the_others_at_the_base_patch(imported: synths.Synth, size: int):
    table, _ = presets.collect(imported, imported.sets[size])
    held = [name for name in NAMES if name not in diva.SETS[size]]
    np.testing.assert_allclose(table[held], np.tile(imported.base[imported.columns(tuple(held))], (40, 1)))


def test_all_splits_deal_them(imported: synths.Synth):
    table, _ = presets.collect(imported, imported.sets[16])
    values = table[list(imported.sets[16])].to_numpy(dtype=np.float32)
    mel = np.random.default_rng(0).normal(0, 3, (40, 16, 24)).astype(np.float32)
    found, leaks = split("published", table["id"].tolist(), values, mel, 1, 1, table["bank"].tolist())
    assert found["part"].tolist() == table["bank"].tolist()
    assert set(leaks["items"]) == {5}
    for kind in ("random", "grouped"):
        dealt, _ = split(kind, table["id"].tolist(), values, mel, 2, 1)
        assert dealt.groupby("fold")["part"].nunique().tolist() == [3, 3]
    for banks, folds in ((["diva"] * 40, 1), (table["bank"].tolist(), 2)):
        with pytest.raises(ValueError, match="split published: got"):
            split("published", table["id"].tolist(), values, mel, folds, 1, banks)


def test_the_published_split_is_asked_for_where_there_is_one():
    given = yaml.safe_load((ROOT / "config.yaml").read_text()) | {"split": "published"}
    with pytest.raises(ValueError, match="with the presets of amsynth no split was published"):
        config.check(given, ROOT / "workflow/schemas/config.schema.yaml")


def test_a_bad_table_of_presets_is_refused(imported: synths.Synth, tmp_path: Path):
    path = tmp_path / "mine.csv"
    for written, expected in (
        ("name,OSC: FM\na,1\n", r"\['bank'\] are missing"),
        ("name,bank,OSC: Foo\na,b,1\n", r"\['OSC: Foo'\] are no parameters of diva"),
        ("name,bank,OSC: FM\na,b,loud\n", "preset a: OSC: FM = 'loud', expected a number"),
        ("name,bank,OSC: FM\na,b,\n", "preset a: OSC: FM = '', expected a number"),
    ):
        path.write_text(written)
        with pytest.raises(ValueError, match=expected):
            presets.read_bank_table(path, imported)


def test_without_a_plugin_nothing_is_rendered_and_it_is_said_what_to_do(imported: synths.Synth):
    with pytest.raises(FileNotFoundError, match=r"diva: no plugin at .*import the published data with --plugin PATH"):
        Host(imported, NOTE)


class FakePlugin:
    """What a host sees of Diva: other starts, another order, and parameters that the published one had not."""

    names = ("New: One", *NAMES[::-1], "MIDI CC 1")

    def get_plugin_parameter_size(self) -> int:
        return len(self.names)

    def get_parameter_name(self, index: int) -> str:
        return self.names[index]

    def get_parameter(self, index: int) -> float:
        return 0.125

    def set_parameter(self, index: int, value: float) -> None:
        self.shown = str(value)

    def get_parameter_text(self, index: int) -> str:
        return self.shown


@pytest.fixture(scope="module")
def with_plugin(archive: Path, corpus: diva.Corpus, tmp_path_factory: pytest.TempPathFactory) -> synths.Synth:
    """The synthesizer as it is after an import with a plugin, which plays what was published, and a bit of noise."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "Diva.so").touch()
    texts = ("0.0", "0.25", "0.75", "1.0")
    looks = tuple(synths.Parameter(n, "stepped", 0.0, 1.0, 0.125, "", 9, texts) for n in FakePlugin.names)
    sounds = [sound[: NOTE.samples] for sound in corpus.sounds.values()]
    noise = np.random.default_rng(0).normal(0, 1e-3, (len(sounds), NOTE.samples)).astype(np.float32)
    played = [Rendered(sound + n, "ok") for sound, n in zip(sounds, noise, strict=True)]
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(importing, "apart", lambda work, synth: looks)
        patching.setattr(importing, "render", lambda synth, note, vectors, timeout: iter(played))
        importing.main([str(archive), "--plugin", str(folder / "Diva.so"), "--out", str(folder / "diva.yaml")])
    return synths.read(folder / "diva.yaml")


def test_with_a_plugin_the_table_is_that_of_the_plugin(with_plugin: synths.Synth, imported: synths.Synth):
    assert with_plugin.names == FakePlugin.names[:-1]
    base = dict(zip(with_plugin.names, with_plugin.base, strict=True))
    assert base["New: One"] == 0.125
    assert [base[name] for name in NAMES] == pytest.approx(imported.base.tolist())
    kinds = {p.name: p.kind for p in with_plugin.parameters}
    assert {name for name, kind in kinds.items() if kind == "continuous"} == diva.SETS[128]
    assert not with_plugin.parts
    _check(FakePlugin(), with_plugin)  # which holds it to what it starts with, not to the base patch
    wrong = replace(with_plugin, parameters=tuple(replace(p, start=None) for p in with_plugin.parameters))
    with pytest.raises(ValueError, match=r"default 0\.125 in .*Diva\.so, 0\.25 in the table"):
        _check(FakePlugin(), wrong)


def test_the_plugin_is_compared_with_the_published_sounds(with_plugin: synths.Synth):
    head = (Path(with_plugin.banks).with_suffix(".yaml")).read_text().splitlines()[:3]
    own, other = map(float, re.findall(r"[0-9]+\.[0-9]+", head[2]))
    assert head[2].startswith("# 12 presets rendered: median log-mel L1")
    assert own < other / 2
    assert hashlib.sha256(Path(with_plugin.banks).read_bytes()).hexdigest() in head[1]


def test_another_plugin_is_refused(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    looks = (synths.Parameter("Cutoff", "continuous", 0.0, 1.0, 0.5, "", None),)
    monkeypatch.setattr(importing, "apart", lambda work, synth: looks)
    assert f"there is no plugin {tmp_path}/x.so" in stopped([str(archive), "--plugin", f"{tmp_path}/x.so"], tmp_path)
    (tmp_path / "x.so").touch()
    assert "lacks 281 of the published parameters" in stopped([str(archive), "--plugin", f"{tmp_path}/x.so"], tmp_path)


def test_a_base_patch_may_be_given(corpus: diva.Corpus, tmp_path: Path):
    (tmp_path / "base.json").write_text('{"OSC: OscMix": 1, "VCF1: Frequency": 0.5}')
    base = importing.base_patch(corpus, tmp_path / "base.json")
    assert (base["OSC: OscMix"], base["VCF1: Frequency"], base["VCC: Switch0"]) == (1, 0.5, 0.25)


def test_the_benchmark_is_planned_on_it(imported: synths.Synth, project: Project):
    table = Path(imported.banks).with_suffix(".yaml")
    for path in (table, table.with_suffix(".csv")):
        (project.folder / "flowsynth/synths" / path.name).write_bytes(path.read_bytes())
    tiny = TINY["budgets"]["tiny"] | {"datasets": ["amsynth16", "diva16", "diva64"], "folds": 1}
    project.configure(synth="diva", split="published", budgets={"tiny": tiny})
    jobs = project.planned()
    assert (jobs["presets"], jobs["render"], jobs["train"]) == (2, 4, 2)
