"""The plugin is verified against its parameter table."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from flowsynth.rendering.host import Host, Note, fingerprint
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
