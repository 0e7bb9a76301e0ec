"""The command line: exit status, help and lists."""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from flowsynth import __version__
from flowsynth.apps.cli import main
from flowsynth.inference.model_index import find_model


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--version"], 0, f"flowsynth {__version__}"),
        (["--help"], 0, "flowsynth match guitar.wav"),
        (["match", "--help"], 0, "--samples"),
        ([], 2, "COMMAND"),
        (["play"], 2, "invalid choice: 'play'"),
        (["match"], 2, "SOUND"),
    ],
)
def test_exit_status_and_text(arguments: list[str], status: int, text: str, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == status
    assert text in "".join(capsys.readouterr())


@pytest.mark.slow
def test_match_records_the_plugin_and_warns_of_another(tmp_path: Path, capsys: pytest.CaptureFixture):
    content = torch.load(find_model("proxy"), weights_only=True)
    content["run"]["plugin"] = {"plugin_sha256": "0" * 64, "dawdreamer": version("dawdreamer"), "plugin_package": "x 1"}
    torch.save(content, tmp_path / "old.pt")
    soundfile.write(tmp_path / "a.wav", np.sin(np.arange(22050) / 10), 22050)
    arguments = [
        "--model",
        str(tmp_path / "old.pt"),
        "--out",
        str(tmp_path / "out"),
        "--samples",
        "1",
        "--renders",
        "0",
    ]
    main(["match", str(tmp_path / "a.wav"), *arguments])
    plugin = json.loads((tmp_path / "out" / "matches.csv.json").read_text())["plugin"]
    assert plugin["of_training"] == content["run"]["plugin"]
    assert len(plugin["installed"]["plugin_sha256"]) == 64
    warning = capsys.readouterr().err
    assert "another version of amsynth than the installed one: plugin_sha256 (000000000000 and " in warning
    assert "dawdreamer" not in warning


def test_models_of_runs_are_listed_on_request(finished, capsys: pytest.CaptureFixture):
    main(["models", "--json"])
    pretrained = json.loads(capsys.readouterr().out)
    main(["models", "--json", "--results", str(finished.folder / "results")])
    added = json.loads(capsys.readouterr().out)[len(pretrained) :]
    assert [(entry["name"], entry["dataset"], entry["pretrained"]) for entry in added] == [("cnn", "amsynth16", False)]
    main(["models"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["model", *(entry["name"] for entry in pretrained)]
    assert all(Path(line.split()[-1]).is_file() for line in lines[1:])
