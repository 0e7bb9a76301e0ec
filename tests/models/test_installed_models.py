"""Models that installed packages offer are models like those that are here."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowsynth.models import base as models
from flowsynth.models import registry

SOURCE = '''"""A model of somebody else's."""
from flowsynth.models.controls.mean import Mean as Base
from flowsynth.models.base import Control

class Other(Base, Control):
    """Answers with the mean."""
'''


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Install a package that offers an entry point."""

    def install(name: str, value: str) -> None:
        info = tmp_path / "other-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{name} = {value}\n")
        (tmp_path / "somebody_elses.py").write_text(SOURCE)
        (tmp_path / "passed_on.py").write_text("from somebody_elses import Other")
        monkeypatch.syspath_prepend(tmp_path)
        for module in ("somebody_elses", "passed_on"):
            monkeypatch.delitem(sys.modules, module, raising=False)
        forget()

    yield install
    forget()


def forget() -> None:
    for cached in (registry.models, registry.controls, registry.surrogates, registry.people_only):
        cached.cache_clear()


@pytest.mark.parametrize("value", ["somebody_elses", "somebody_elses:Other"])
def test_an_offered_model_is_found_by_its_name(offer, value: str, tmp_path: Path):
    offer("other", value)
    assert "other" in models.names()
    assert "cnn" in models.names()
    assert models.find("other").__name__ == "Other"
    assert registry.source("other") == tmp_path / "somebody_elses.py"
    assert registry.is_control("other")


@pytest.mark.parametrize("name", ["cnn", "cnn_best16", "Other"])
def test_a_name_that_is_taken_or_no_name_of_a_model_is_refused(offer, name: str):
    offer(name, "somebody_elses")
    with pytest.raises(ValueError, match=f"somebody_elses offers a model named '{name}'"):
        models.names()


def test_what_is_offered_has_to_be_a_model(offer):
    offer("other", "pathlib:Path")
    with pytest.raises(ValueError, match="pathlib:Path: got 0 models"):
        models.find("other")


def test_a_model_that_is_written_elsewhere_is_offered_from_there(offer):
    offer("other", "passed_on:Other")
    with pytest.raises(ValueError, match="written in another module: offer it as somebody_elses:Other"):
        models.find("other")


def test_a_broken_package_is_named(offer):
    offer("other", "nowhere.networks:Other")
    with pytest.raises(ValueError, match=r"the model other: .* from the module nowhere.networks, but No module named"):
        registry.is_control("cnn")
