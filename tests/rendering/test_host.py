"""The plugin is verified against its parameter table."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from flowsynth.rendering import host
from flowsynth.rendering.host import Host, Note, fingerprint, plugin_differences, plugin_record
from flowsynth.synths import spec as synths

NOTE = Note(22050, 512, 60, 100, 3.0, 4.0)
SYNTH = synths.load("amsynth")


def test_plugin_matches_its_table():
    Host(SYNTH, NOTE)


def test_loading_prints_nothing(capfd: pytest.CaptureFixture):
    Host(SYNTH, NOTE)
    assert capfd.readouterr() == ("", "")


def test_wrong_parameter_order_is_rejected():
    with pytest.raises(ValueError, match="in another order"):
        Host(replace(SYNTH, parameters=SYNTH.parameters[::-1]), NOTE)


def test_fingerprint_covers_plugin_host_and_note():
    settings = fingerprint(SYNTH, NOTE)
    assert settings["synth"] == "amsynth"
    assert len(settings["plugin_sha256"]) == 64
    assert settings != fingerprint(SYNTH, replace(NOTE, velocity=127))


def test_only_plugin_and_host_decide_whether_records_are_equal():
    record = {"plugin_sha256": "a" * 64, "dawdreamer": "1", "plugin_package": "amsynth 1"}
    assert plugin_differences(record, record | {"plugin_package": "amsynth 2"}) == []
    assert plugin_differences({}, record) == plugin_differences(record, {"dawdreamer": "1"}) == []
    rebuilt = record | {"plugin_sha256": "b" * 64, "plugin_package": "amsynth 2"}
    expected = [f"plugin_sha256 ({'a' * 12} and {'b' * 12})", "plugin_package (amsynth 1 and amsynth 2)"]
    assert plugin_differences(record, rebuilt) == expected


def test_the_package_of_a_plugin_is_optional(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(host.debian, "package_version", lambda path: "amsynth 1.13")
    assert plugin_record(SYNTH)["plugin_package"] == "amsynth 1.13"
    assert "plugin_package" not in fingerprint(SYNTH, NOTE)
    monkeypatch.setattr(host.debian, "package_version", lambda path: "")
    assert plugin_record(SYNTH).keys() == {"plugin_sha256", "dawdreamer"}


def test_home_folders_of_users_are_untouched(tmp_path: Path):
    code = (
        "from flowsynth.synths import spec as synths; from flowsynth.rendering.host import *;"
        "from flowsynth.rendering.render import render;"
        "synth, note = synths.load('amsynth'), Note(22050, 512, 60, 100, 3.0, 4.0);"
        "list(render(synth, note, [np.zeros(len(synth.names))], 60)); Host(synth, note)"
    )
    (tmp_path / "home").mkdir()
    (tmp_path / "scratch").mkdir()
    environment = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "scratch"), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["home", "scratch"]
