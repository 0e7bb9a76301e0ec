"""The command line: exit status, help and lists."""

import json
from pathlib import Path

import pytest

from flowsynth import __version__
from flowsynth.cli import main


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
