"""Parameter tables written by inspecting a plugin, and presets in VST formats."""

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from programs import require

from flowsynth.apps import inspect_plugin
from flowsynth.data import presets, vst_presets
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render
from flowsynth.rendering.worker import Rendered
from flowsynth.synths import spec as synths

pytestmark = pytest.mark.slow

NEKOBI = Path("/usr/lib/vst/Nekobi-vst.so")
VALUES = [1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]


@pytest.fixture(scope="module", autouse=True)
def short_note() -> Iterator[None]:
    """Probe one random patch by a note of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspect_plugin, "NOTE", Note(22050, 512, 60, 100, 0.75, 1.0))
        patch.setattr(inspect_plugin, "RANDOM_PATCHES", 1)
        yield


@pytest.fixture(scope="module")
def nekobi(tmp_path_factory: pytest.TempPathFactory) -> synths.Synth:
    """Nekobi, a bass synthesizer, with its generated parameter table."""
    require(str(NEKOBI))
    path = tmp_path_factory.mktemp("inspect") / "nekobi.yaml"
    inspect_plugin.main([str(NEKOBI), "--presets", "50", "--out", str(path)])
    return synths.read(path)


def program(values: list[float], name: str) -> bytes:
    text = name.encode().ljust(28, b"\0")
    body = b"FxCk" + struct.pack(">i4sii", 1, b"none", 1, len(values)) + text + struct.pack(f">{len(values)}f", *values)
    return b"CcnK" + struct.pack(">i", len(body)) + body


def bank(*programs: bytes) -> bytes:
    body = b"FxBk" + struct.pack(">i4sii", 1, b"none", 1, len(programs)) + bytes(128) + b"".join(programs)
    return b"CcnK" + struct.pack(">i", len(body)) + body


def test_the_table_describes_the_plugin(nekobi: synths.Synth):
    (sound,) = render(nekobi, inspect_plugin.NOTE, [nekobi.base], 20)  # rendering checks the table
    assert sound.status == "ok"
    assert nekobi.name == "nekobi"
    assert nekobi.names[:4] == ("Waveform", "Tuning", "Cutoff", "VCF Resonance")
    waveform, tuning = nekobi.parameters[:2]
    assert (waveform.kind, waveform.steps, waveform.text) == (
        "stepped",
        2,
        ("Square", "Square", "Triangle", "Triangle"),
    )
    assert (tuning.kind, tuning.steps, tuning.default) == ("continuous", None, 0.5)
    assert nekobi.sets[8] == nekobi.names
    assert {"Cutoff", "Tuning", "Volume"} <= set(nekobi.sets[min(nekobi.sets)])


def test_silent_ranges_are_left_out_of_synthetic_presets(nekobi: synths.Synth):
    table, counts = presets.collect(nekobi, nekobi.names, seed=1)
    assert counts["drawn"] == 50
    volume = nekobi.parameters[nekobi.names.index("Volume")]
    assert volume.draw == (0.5, 0.25, 1)  # silent at 0
    assert table["Volume"].min() >= 0.25


def test_only_fresh_instances_are_reproducible(nekobi: synths.Synth):
    assert inspect_plugin.check_reproducibility(nekobi) == {"one instance": False, "fresh instances": True}


def test_vst_presets_are_read(nekobi: synths.Synth, tmp_path: Path):
    (tmp_path / "one.fxp").write_bytes(program(VALUES, "First"))
    (tmp_path / "two.fxb").write_bytes(bank(program(VALUES, "First"), program(VALUES[::-1], "")))
    (preset,) = vst_presets.read(tmp_path / "one.fxp", nekobi)
    assert preset[0] == "First"
    assert preset[1] == pytest.approx(VALUES)
    first, second = vst_presets.read(tmp_path / "two.fxb", nekobi)
    assert first == preset
    assert second[0] == "two"
    assert second[1] == pytest.approx([1, *VALUES[-2::-1]])  # 0.7 of a switch is 1
    table, counts = presets.collect(replace(nekobi, banks=(f"{tmp_path}/*.fxb",)), nekobi.names)
    assert counts["read"] == len(table) == 2
    assert table["name"].tolist() == ["First", "two"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.fxp", b"nonsense", "is not a VST2 preset: it begins with b'nonsense'"),
        ("a.fxb", bank(program(VALUES, "x"))[:-60], "program 1 of 1 is incomplete"),
        ("a.fxb", bank(program(VALUES, "x"), b""), "program 2 of 2 is incomplete"),
        ("a.fxb", b"CcnK" + bytes(4) + b"FBCh" + bytes(40), "save its presets as .fxp"),
        ("a.vstpreset", b"nonsense", "is not a VST3 preset: it begins with b'nonsense'"),
    ],
)
def test_damaged_presets_are_refused(nekobi: synths.Synth, tmp_path: Path, name: str, content: bytes, message: str):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        vst_presets.read(tmp_path / name, nekobi)


def test_invalid_plugins_and_arguments_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture, nekobi: synths.Synth):
    (tmp_path / "x.so").write_text("not a plugin")
    for plugin, message in {
        "/nowhere/x.so": "no plugin at /nowhere/x.so",
        str(tmp_path / "x.so"): "can't be loaded",
        "/usr/lib/vst/MaFreeverb-vst.so": "MaFreeverb-vst.so is silent",
    }.items():
        with pytest.raises(SystemExit) as stop:
            inspect_plugin.main([plugin, "--name", "x", "--out", str(tmp_path / "x.yaml")])
        assert message in str(stop.value)
        assert not (tmp_path / "x.yaml").exists()
    for arguments, message in (
        ({"--name": "X1"}, "--name 'X1'"),
        ({"--presets": "0"}, "--presets 0"),
        ({"--out": str(tmp_path / "x.so")}, f"{tmp_path / 'x.so'} already exists"),
    ):
        with pytest.raises(SystemExit):
            inspect_plugin.main([str(NEKOBI), *(text for pair in arguments.items() for text in pair)])
        assert message in capsys.readouterr().err


def test_texts_of_parameters_round_trip_through_the_table(nekobi: synths.Synth):
    effects = np.ones((len(nekobi.names), len(inspect_plugin.PROBES)))
    text = inspect_plugin.format_table(nekobi, effects, effects, {"fresh instances": True}, 10)
    rows = yaml.safe_load(text)["parameters"]
    assert {name: tuple(row["text"]) for name, row in rows.items()} == {p.name: p.text for p in nekobi.parameters}


def test_failed_renderings_do_not_count_as_audible_changes(
    nekobi: synths.Synth, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    cutoff, rng = nekobi.names.index("Cutoff"), np.random.default_rng(1)

    def render_or_fail(synth, note, presets, timeout):
        for number, values in enumerate(presets):
            audio = rng.uniform(-0.5, 0.5, inspect_plugin.NOTE.samples).astype(np.float32)
            fails = values[cutoff] in (0, 1) or (number == 0 and synth.name == "never")
            yield Rendered(0 * audio, "failed", "killed by SIGSEGV") if fails else Rendered(audio, "ok")

    monkeypatch.setattr(inspect_plugin, "render", render_or_fail)
    distances, peaks = inspect_plugin.probe(nekobi)
    assert (distances[cutoff, [0, 2]] == 0).all() and (peaks[cutoff, [0, 2]] == 0).all()
    assert (np.delete(distances, cutoff, axis=0) > 0).all()
    assert "Cutoff = 0: killed by SIGSEGV" in caplog.text
    with pytest.raises(ValueError, match="killed by SIGSEGV"):
        inspect_plugin.probe(replace(nekobi, name="never"))
