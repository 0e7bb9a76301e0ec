"""The table of a plugin that nobody has written one for, and presets in its own formats."""

import os
import signal
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from programs import Unavailable, install, skip_or_fail

from flowsynth.apps import inspect_plugin
from flowsynth.data import presets, vst_presets
from flowsynth.rendering.host import run_in_subprocess
from flowsynth.rendering.render import render
from flowsynth.rendering.worker import Rendered
from flowsynth.synths import spec as synths

NEKOBI = Path("/usr/lib/vst/Nekobi-vst.so")
VALUES = [1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]


@pytest.fixture(scope="module")
def nekobi(tmp_path_factory: pytest.TempPathFactory) -> synths.Synth:
    """Nekobi, a bass synthesizer, by the table that is made of it."""
    try:
        install([str(NEKOBI)], ["dpf-plugins-vst"])
    except Unavailable as error:
        skip_or_fail(str(error))
    path = tmp_path_factory.mktemp("inspect") / "nekobi.yaml"
    inspect_plugin.main([str(NEKOBI), "--presets", "50", "--out", str(path)])
    return synths.read(path)


def program(values: list[float], name: str) -> bytes:
    said = name.encode().ljust(28, b"\0")
    body = b"FxCk" + struct.pack(">i4sii", 1, b"none", 1, len(values)) + said + struct.pack(f">{len(values)}f", *values)
    return b"CcnK" + struct.pack(">i", len(body)) + body


def bank(*programs: bytes) -> bytes:
    body = b"FxBk" + struct.pack(">i4sii", 1, b"none", 1, len(programs)) + bytes(128) + b"".join(programs)
    return b"CcnK" + struct.pack(">i", len(body)) + body


def test_the_table_is_that_of_the_plugin(nekobi: synths.Synth):
    (sound,) = render(nekobi, inspect_plugin.NOTE, [nekobi.base], 20)  # which holds it to the table
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


def test_presets_are_drawn_where_they_are_heard(nekobi: synths.Synth):
    table, counts = presets.collect(nekobi, nekobi.names, seed=1)
    assert counts["drawn"] == 50
    volume = nekobi.parameters[nekobi.names.index("Volume")]
    assert volume.draw == (0.5, 0.25, 1)  # at 0 there is silence
    assert table["Volume"].min() >= 0.25


def test_its_renders_are_the_same_bits_of_fresh_instances_only(nekobi: synths.Synth):
    assert inspect_plugin.reproducible(nekobi) == {"one instance": False, "a fresh instance each": True}


def test_presets_of_vst_are_read_by_the_plugin(nekobi: synths.Synth, tmp_path: Path):
    (tmp_path / "one.fxp").write_bytes(program(VALUES, "First"))
    (tmp_path / "two.fxb").write_bytes(bank(program(VALUES, "First"), program(VALUES[::-1], "")))
    (found,) = vst_presets.read(tmp_path / "one.fxp", nekobi)
    assert found[0] == "First"
    assert found[1] == pytest.approx(VALUES)
    first, second = vst_presets.read(tmp_path / "two.fxb", nekobi)
    assert first == found
    assert second[0] == "two"
    assert second[1] == pytest.approx([1, *VALUES[-2::-1]])  # of the switch 0.7 is 1
    table, counts = presets.collect(replace(nekobi, banks=f"{tmp_path}/*.fxb"), nekobi.names)
    assert counts["read"] == len(table) == 2
    assert table["name"].tolist() == ["First", "two"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.fxp", b"nonsense", "is not a VST2 preset: it begins with b'nonsense'"),
        ("a.fxb", bank(program(VALUES, "x"))[:-60], "program 1 of 1 is incomplete"),
        ("a.fxb", bank(program(VALUES, "x"), b""), "program 2 of 2 is incomplete"),
        ("a.fxb", b"CcnK" + bytes(4) + b"FBCh" + bytes(40), "save its presets as .fxp"),
        ("a.vstpreset", b"nonsense", "is not a VST3 preset: it begins with b'nonsense'"),
    ],
)
def test_damaged_presets_are_refused(nekobi: synths.Synth, tmp_path: Path, name: str, content: bytes, said: str):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=said):
        vst_presets.read(tmp_path / name, nekobi)


def test_what_is_no_instrument_is_told(tmp_path: Path, capsys: pytest.CaptureFixture, nekobi: synths.Synth):
    (tmp_path / "x.so").write_text("not a plugin")
    for plugin, said in {
        "/nowhere/x.so": "no plugin at /nowhere/x.so",
        str(tmp_path / "x.so"): "can't be loaded",
        "/usr/lib/vst/MaFreeverb-vst.so": "makes no sound when MIDI note 60 is played",
    }.items():
        with pytest.raises(SystemExit) as stop:
            inspect_plugin.main([plugin, "--name", "x", "--out", str(tmp_path / "x.yaml")])
        assert said in str(stop.value)
        assert not (tmp_path / "x.yaml").exists()
    for arguments, said in (
        ({"--name": "X1"}, "expected small letters"),
        ({"--presets": "0"}, "--presets 0: expected 1 at least"),
        ({"--out": str(tmp_path / "x.so")}, "there is"),
    ):
        with pytest.raises(SystemExit):
            inspect_plugin.main([str(NEKOBI), *(text for pair in arguments.items() for text in pair)])
        assert said in capsys.readouterr().err


def test_texts_of_a_plugin_come_back_from_the_table_as_they_are(nekobi: synths.Synth):
    text = inspect_plugin.table(nekobi, *inspect_plugin.probe(nekobi), inspect_plugin.reproducible(nekobi), 10)
    read = yaml.safe_load(text)["parameters"]
    assert {name: tuple(row["text"]) for name, row in read.items()} == {p.name: p.text for p in nekobi.parameters}


def test_what_makes_a_plugin_fail_is_not_taken_for_what_is_heard(
    nekobi: synths.Synth, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    cutoff, rng = nekobi.names.index("Cutoff"), np.random.default_rng(1)

    def failing(synth, note, vectors, timeout):
        for number, vector in enumerate(vectors):
            audio = rng.uniform(-0.5, 0.5, inspect_plugin.NOTE.samples).astype(np.float32)
            fails = vector[cutoff] in (0, 1) or (number == 0 and synth.name == "never")
            yield Rendered(0 * audio, "failed", "killed by SIGSEGV") if fails else Rendered(audio, "ok")

    monkeypatch.setattr(inspect_plugin, "render", failing)
    far, peaks = inspect_plugin.probe(nekobi)
    assert (far[cutoff, [0, 2]] == 0).all() and (peaks[cutoff, [0, 2]] == 0).all()
    assert (np.delete(far, cutoff, axis=0) > 0).all()
    assert "Cutoff = 0: killed by SIGSEGV" in caplog.text
    with pytest.raises(ValueError, match="fails as soon as it plays its default: killed by SIGSEGV"):
        inspect_plugin.probe(replace(nekobi, name="never"))


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def test_a_plugin_that_crashes_takes_its_own_process_with_it():
    with pytest.raises(ValueError, match="the plugin crashed its process in crash"):
        run_in_subprocess(crash)
