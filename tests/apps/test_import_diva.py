"""Import of the published data of Diva, and its use in the pipeline."""

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

from flowsynth.apps import import_diva as importing
from flowsynth.apps.inspect_plugin import NOTE
from flowsynth.config.validation import check
from flowsynth.data import diva, presets
from flowsynth.data.splits import split
from flowsynth.rendering.host import Host, _check
from flowsynth.rendering.worker import Rendered
from flowsynth.synths import spec as synths

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def test_usable_sets_are_the_published_ones(corpus: diva.Corpus):
    assert {size: len(names) for size, names in diva.SETS.items()} == {16: 16, 32: 32, 64: 64, 128: 128}
    assert diva.SETS[16] - diva.SETS[32] == {"OSC: OscMix"}
    assert diva.SETS[16] | diva.SETS[32] < diva.SETS[64] < diva.SETS[128]
    assert corpus.varying == diva.SETS[64]
    assert list(importing.usable_sets(corpus)) == [16, 32, 64]


def exit_message(arguments: list[str], folder: Path) -> str:
    """Message of an import that exits without writing anything."""
    before = sorted(folder.iterdir())
    with pytest.raises(SystemExit) as error:
        importing.main([*arguments, "--out", str(folder / "diva.yaml")])
    assert sorted(folder.iterdir()) == before
    return str(error.value)


def test_invalid_archive_exits_and_writes_nothing(archive: Path, tmp_path: Path):
    path = tmp_path / "diva_raw.zip"
    assert f"{path} does not exist" in exit_message([str(path)], tmp_path)
    path.write_bytes(archive.read_bytes()[:-1000])
    assert "truncated" in exit_message([str(path)], tmp_path)
    write_archive(path, {"mel/a_60_100.npz": npz(), "raw/._a_60_100.npz": b"", "raw/a.txt": b""})
    assert "no files raw/NAME.npz" in exit_message([str(path)], tmp_path)
    write_archive(path, {"raw/a_60_100.npz": npz(), "again/raw/a_60_100.npz": npz()})
    assert "duplicate file names a_60_100.npz" in exit_message([str(path)], tmp_path)
    write_archive(path, {"raw/a_60_100.npz": npz(param=saved(np.array({"OSC: FM": 0.5})))})
    assert "got 1 parameters, expected 281" in exit_message([str(path)], tmp_path)
    write_archive(path, {"raw/a_60_100.npz": npz(), "raw/b_60_100.npz": npz()})
    assert "no published parameter set varies" in exit_message([str(path)], tmp_path)
    write_archive(path, {"raw/a_60_100.npz": npz(param=npy(HOSTILE["os.system"]))})
    assert "none of 1 files is valid; a_60_100.npz: param: got a call of" in exit_message([str(path)], tmp_path)


def test_invalid_base_patch_raises(corpus: diva.Corpus, tmp_path: Path):
    for content, expected in (
        ("{", "not valid JSON"),
        ('{"Foo: Bar": 1}', "Foo: Bar"),
        ('{"OSC: FM": 2}', "OSC: FM = 2"),
    ):
        (tmp_path / "base.json").write_text(content)
        with pytest.raises(ValueError, match=rf"base\.json.*{expected}"):
            importing.base_patch(corpus, tmp_path / "base.json")


def test_presets_and_split_that_differ(corpus: diva.Corpus, caplog: pytest.LogCaptureFixture):
    parts = dict(zip(PRESETS, ["train"] * 30 + ["valid"] * 5 + ["test"] * 4, strict=False)) | {"gone": "train"}
    assert len(importing.preset_table(corpus, parts)) == 39
    assert f"{PRESETS[39]} is left out" in caplog.text
    assert "1 of the 40 presets" in caplog.text
    with pytest.raises(ValueError, match=r"\['train'\]"):
        importing.preset_table(corpus, dict.fromkeys(PRESETS, "train"))


def test_table_has_base_patch_and_sets(imported: synths.Synth, corpus: diva.Corpus):
    assert imported.names == tuple(NAMES)
    assert {size: set(names) for size, names in imported.sets.items()} == {n: diva.SETS[n] for n in (16, 32, 64)}
    np.testing.assert_allclose(imported.base, np.median(corpus.values, axis=0), atol=1e-6)
    assert (imported.has_published_split, imported.users_home) == (True, True)


def test_presets_keep_parts_and_tags(imported: synths.Synth, corpus: diva.Corpus):
    table, counts = presets.collect(imported, imported.sets[64])
    assert (counts["kept"], counts["values_clamped"]) == (40, 0)
    assert tuple(table["name"]) == corpus.presets
    np.testing.assert_allclose(table[list(NAMES)], corpus.values, atol=1e-6)
    assert dict(zip(table["name"], table["bank"], strict=True)) == diva.read_split(
        Path(imported.banks[0]).parent / "split.th"
    )
    bank = pd.read_csv(imported.banks[0])
    tags = [f"tag:{pair}" for pair in diva.TAG_PAIRS]
    assert [column for column in bank if column.startswith("tag:")] == tags
    np.testing.assert_array_equal(bank[tags], corpus.tags)


def test_presets_round_trip_through_a_text_bank(imported: synths.Synth, corpus: diva.Corpus, tmp_path: Path):
    presets.write_bank(tmp_path / "x.bank", imported, ["a", "b"], corpus.values[:2])
    values = [list(preset.values.values()) for preset in presets.read_bank(tmp_path / "x.bank", imported)]
    np.testing.assert_allclose(values, corpus.values[:2], atol=1e-6)


@pytest.mark.parametrize("size", [16, 32])
def test_smaller_set_keeps_other_parameters_at_the_base_patch(imported: synths.Synth, size: int):
    table, _ = presets.collect(imported, imported.sets[size])
    fixed = [name for name in NAMES if name not in diva.SETS[size]]
    np.testing.assert_allclose(table[fixed], np.tile(imported.base[imported.columns(tuple(fixed))], (40, 1)))


def test_all_kinds_of_split_work(imported: synths.Synth):
    table, _ = presets.collect(imported, imported.sets[16])
    values = table[list(imported.sets[16])].to_numpy(dtype=np.float32)
    mel = np.random.default_rng(0).normal(0, 3, (40, 16, 24)).astype(np.float32)
    published, leaks = split("published", table["id"].tolist(), values, mel, 1, 1, table["bank"].tolist())
    assert published["part"].tolist() == table["bank"].tolist()
    assert set(leaks["items"]) == {5}
    for kind in ("random", "grouped"):
        assigned, _ = split(kind, table["id"].tolist(), values, mel, 2, 1)
        assert assigned.groupby("fold")["part"].nunique().tolist() == [3, 3]
    for banks, folds in ((["diva"] * 40, 1), (table["bank"].tolist(), 2)):
        with pytest.raises(ValueError, match=r"split published: got [12] folds"):
            split("published", table["id"].tolist(), values, mel, folds, 1, banks)


def test_published_split_requires_published_data():
    configuration = yaml.safe_load((ROOT / "config.yaml").read_text()) | {"split": "published"}
    with pytest.raises(ValueError, match="split: amsynth has no published split"):
        check(configuration, ROOT / "workflow/schemas/config.schema.yaml")


def test_invalid_preset_table_raises(imported: synths.Synth, tmp_path: Path):
    path = tmp_path / "mine.csv"
    for content, expected in (
        ("name,OSC: FM\na,1\n", r"missing columns \['bank'\]"),
        ("name,bank,OSC: Foo\na,b,1\n", r"unknown columns \['OSC: Foo'\]"),
        ("name,bank,OSC: FM\na,b,loud\n", "preset a: OSC: FM = 'loud'"),
        ("name,bank,OSC: FM\na,b,\n", "preset a: OSC: FM = ''"),
    ):
        path.write_text(content)
        with pytest.raises(ValueError, match=expected):
            presets.read_bank_table(path, imported)


def test_rendering_without_a_plugin_raises_with_instructions(imported: synths.Synth):
    with pytest.raises(FileNotFoundError, match=r"no-plugin-was-given.*--plugin PATH"):
        Host(imported, NOTE)


class FakePlugin:
    """Plugin like Diva, with other initial values, another order, and additional parameters."""

    names = ("New: One", *NAMES[::-1], "MIDI CC 1")

    def get_plugin_parameter_size(self) -> int:
        return len(self.names)

    def get_parameter_name(self, index: int) -> str:
        return self.names[index]

    def get_parameter(self, index: int) -> float:
        return 0.125

    def set_parameter(self, index: int, value: float) -> None:
        self.text = str(value)

    def get_parameter_text(self, index: int) -> str:
        return self.text


@pytest.fixture(scope="module")
def with_plugin(archive: Path, corpus: diva.Corpus, tmp_path_factory: pytest.TempPathFactory) -> synths.Synth:
    """Synthesizer imported with a plugin that renders the published sounds plus a little noise."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "Diva.so").touch()
    texts = ("0.0", "0.25", "0.75", "1.0")
    described = tuple(synths.Parameter(n, "stepped", 0.0, 1.0, 0.125, "", 9, texts) for n in FakePlugin.names)
    sounds = [sound[: NOTE.samples] for sound in corpus.sounds.values()]
    noise = np.random.default_rng(0).normal(0, 1e-3, (len(sounds), NOTE.samples)).astype(np.float32)
    results = [Rendered(sound + n, "ok") for sound, n in zip(sounds, noise, strict=True)]
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(importing, "run_in_subprocess", lambda synth, work, argument: described)
        patching.setattr(importing, "render", lambda synth, note, vectors, timeout: iter(results))
        importing.main([str(archive), "--plugin", str(folder / "Diva.so"), "--out", str(folder / "diva.yaml")])
    return synths.read(folder / "diva.yaml")


def test_table_follows_the_plugin(with_plugin: synths.Synth, imported: synths.Synth):
    assert with_plugin.names == FakePlugin.names[:-1]
    base = dict(zip(with_plugin.names, with_plugin.base, strict=True))
    assert base["New: One"] == 0.125
    assert [base[name] for name in NAMES] == pytest.approx(imported.base.tolist())
    kinds = {p.name: p.kind for p in with_plugin.parameters}
    assert {name for name, kind in kinds.items() if kind == "continuous"} == diva.SETS[128]
    assert not with_plugin.has_published_split
    _check(FakePlugin(), with_plugin)  # compares with the initial values, not with the base patch
    wrong = replace(with_plugin, parameters=tuple(replace(p, start=None) for p in with_plugin.parameters))
    with pytest.raises(ValueError, match=r"0\.125 .*0\.25"):
        _check(FakePlugin(), wrong)


def test_plugin_is_compared_with_published_sounds(with_plugin: synths.Synth):
    comment = (Path(with_plugin.banks[0]).with_suffix(".yaml")).read_text().splitlines()[:3]
    own, other = map(float, re.findall(r"[0-9]+\.[0-9]+", comment[2]))
    assert comment[2].startswith("# 12 presets rendered")
    assert own < other / 2
    assert hashlib.sha256(Path(with_plugin.banks[0]).read_bytes()).hexdigest() in comment[1]


def test_plugin_without_published_parameters_exits(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    described = (synths.Parameter("Cutoff", "continuous", 0.0, 1.0, 0.5, "", None),)
    monkeypatch.setattr(importing, "run_in_subprocess", lambda synth, work, argument: described)
    assert f"{tmp_path}/x.so does not exist" in exit_message([str(archive), "--plugin", f"{tmp_path}/x.so"], tmp_path)
    (tmp_path / "x.so").touch()
    assert "lacks 281 of the published parameters" in exit_message(
        [str(archive), "--plugin", f"{tmp_path}/x.so"], tmp_path
    )


def test_base_patch_values_from_a_file(corpus: diva.Corpus, tmp_path: Path):
    (tmp_path / "base.json").write_text('{"OSC: OscMix": 1, "VCF1: Frequency": 0.5}')
    base = importing.base_patch(corpus, tmp_path / "base.json")
    assert (base["OSC: OscMix"], base["VCF1: Frequency"], base["VCC: Switch0"]) == (1, 0.5, 0.25)


def test_benchmark_can_be_planned_on_imported_data(imported: synths.Synth, project: Project):
    table = Path(imported.banks[0]).with_suffix(".yaml")
    for path in (table, table.with_suffix(".csv")):
        (project.folder / "flowsynth/synths/specs" / path.name).write_bytes(path.read_bytes())
    tiny = TINY["budgets"]["tiny"] | {"datasets": ["amsynth16", "diva16", "diva64"], "folds": 1}
    project.configure(synth="diva", split="published", budgets={"tiny": tiny})
    jobs = project.planned()
    assert (jobs["presets"], jobs["render"], jobs["train"]) == (2, 4, 2)
