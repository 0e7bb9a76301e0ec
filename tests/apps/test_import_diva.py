"""The import of the published data of Diva, and what the pipeline makes of it."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from divas import HOSTILE, NAMES, PRESETS, npy, npz, saved, write_archive
from project import TINY, Project

from flowsynth import config
from flowsynth.apps import import_diva as importing
from flowsynth.apps.inspect_plugin import NOTE
from flowsynth.data import diva, presets
from flowsynth.data.splits import split
from flowsynth.rendering.host import Host, _check
from flowsynth.rendering.worker import Rendered
from flowsynth.synths import spec as synths

ROOT = Path(__file__).resolve().parents[2]


def test_the_sets_are_the_published_ones(corpus: diva.Corpus):
    assert {size: len(names) for size, names in diva.SETS.items()} == {16: 16, 32: 32, 64: 64, 128: 128}
    assert diva.SETS[16] - diva.SETS[32] == {"OSC: OscMix"}
    assert diva.SETS[16] | diva.SETS[32] < diva.SETS[64] < diva.SETS[128]
    assert corpus.varying == diva.SETS[64]
    assert list(importing.sets(corpus)) == [16, 32, 64]


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


def test_presets_and_split_that_do_not_meet(corpus: diva.Corpus, caplog: pytest.LogCaptureFixture):
    parts = dict(zip(PRESETS, ["train"] * 30 + ["valid"] * 5 + ["test"] * 4, strict=False)) | {"gone": "train"}
    assert len(importing.bank(corpus, parts)) == 39
    assert f"{PRESETS[39]} is left out: the published split does not name it" in caplog.text
    assert "1 of the 40 presets of the published split are not in the data" in caplog.text
    with pytest.raises(ValueError, match=r"the data have \['train'\]"):
        importing.bank(corpus, dict.fromkeys(PRESETS, "train"))


def test_the_table_has_the_base_patch_and_the_sets(imported: synths.Synth, corpus: diva.Corpus):
    assert imported.names == tuple(NAMES)
    assert {size: set(names) for size, names in imported.sets.items()} == {n: diva.SETS[n] for n in (16, 32, 64)}
    np.testing.assert_allclose(imported.base, np.median(corpus.values, axis=0), atol=1e-6)
    assert (imported.has_published_split, imported.users_home) == (True, True)


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
    with pytest.raises(ValueError, match="config: split: amsynth has no published split"):
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
        patching.setattr(importing, "run_in_subprocess", lambda work, synth: looks)
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
    assert not with_plugin.has_published_split
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
    monkeypatch.setattr(importing, "run_in_subprocess", lambda work, synth: looks)
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
        (project.folder / "flowsynth/synths/specs" / path.name).write_bytes(path.read_bytes())
    tiny = TINY["budgets"]["tiny"] | {"datasets": ["amsynth16", "diva16", "diva64"], "folds": 1}
    project.configure(synth="diva", split="published", budgets={"tiny": tiny})
    jobs = project.planned()
    assert (jobs["presets"], jobs["render"], jobs["train"]) == (2, 4, 2)
