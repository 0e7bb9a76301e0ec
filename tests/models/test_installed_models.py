"""Models of installed packages behave like those of this package."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowsynth.models import base as models
from flowsynth.models import registry
from flowsynth.models.nn.networks import Size
from flowsynth.models.systems import System
from flowsynth.synths.parameter_space import ParameterSpace
from flowsynth.training import checkpoints

SOURCE = '''"""A model of another package."""
from flowsynth.models.{module} import {base}

print("imported")


class Other({base}):
    """A subclass."""

    {body}
'''
CONSTRUCTOR = """def __init__(self, mels, frames, parameters, size):
        super().__init__(mels, frames, parameters, size)
        self.stepped = parameters.kinds.count("stepped")
"""
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package that offers a model as an entry point."""

    def install_package(
        name: str, value: str, module: str = "controls.mean", base: str = "Mean", body: str = "extra = 1"
    ) -> None:
        info = tmp_path / "other-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{name} = {value}\n")
        (tmp_path / "other_package.py").write_text(SOURCE.format(module=module, base=base, body=body))
        (tmp_path / "reexport.py").write_text("from other_package import Other")
        monkeypatch.syspath_prepend(tmp_path)
        for imported in ("other_package", "reexport"):
            monkeypatch.delitem(sys.modules, imported, raising=False)
        clear_caches()

    yield install_package
    clear_caches()


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load installed models in this process, which has imported torch."""

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            models.print_traits(command[command.index("-c") + 2 :])
        return subprocess.CompletedProcess(command, 0, output.getvalue(), "")

    monkeypatch.setattr(registry.subprocess, "run", run)


def clear_caches() -> None:
    for function in (
        registry.models,
        registry._installed_traits,
        registry.controls,
        registry.surrogates,
        registry.human_presets_only,
    ):
        function.cache_clear()


@pytest.mark.parametrize("value", ["other_package", "other_package:Other"])
def test_an_installed_model_is_found_by_name(install: Install, value: str, tmp_path: Path):
    install("other", value)
    assert "other" in models.names()
    assert "cnn" in models.names()
    assert models.find("other").__name__ == "Other"
    assert registry.source_file("other") == tmp_path / "other_package.py"


BASES = {
    "controls": ("controls.nearest", "Nearest"),
    "regression": ("regression.cnn", "CNN"),
    "autoencoders": ("autoencoders.vae", "VAE"),
    "density": ("density.mdn", "MDN"),
    "surrogates": ("surrogates.proxy", "Proxy"),
}


@pytest.mark.usefixtures("in_process")
def test_traits_of_installed_models_are_inherited(install: Install, tmp_path: Path):
    offered = {f"other_{kind}": (module, base, "extra = 1") for kind, (module, base) in BASES.items()}
    offered["own_people"] = ("regression.cnn", "CNN", "human_presets_only = True")
    offered["inherited_people"] = ("controls.nearest_people", "NearestPeople", "extra = 1")
    install("other", "other_package:Other")
    entry_points = [f"[{registry.GROUP}]", *(f"{name} = package_of_{name}:Other" for name in offered)]
    (tmp_path / "other-1.0.dist-info" / "entry_points.txt").write_text("\n".join(entry_points))
    for name, (module, base, body) in offered.items():
        (tmp_path / f"package_of_{name}.py").write_text(SOURCE.format(module=module, base=base, body=body))
    clear_caches()
    for kind in BASES:
        assert registry.kind(f"other_{kind}") == kind
        assert System.parse(f"other_{kind}_refined64").is_control == (kind == "controls")
        assert (f"other_{kind}" in registry.controls()) == (kind == "controls")
        assert (f"other_{kind}" in registry.surrogates()) == (kind == "surrogates")
    assert registry.human_presets_only() == {"nearest_people", "own_people", "inherited_people"}


def test_a_run_loads_installed_models_once(install: Install, monkeypatch: pytest.MonkeyPatch):
    assert registry.traits_environment() == {}
    install("other", "other_package:Other")
    monkeypatch.setattr(registry, "_load_traits", lambda names: {name: ["density", False] for name in names})
    environment = registry.traits_environment()
    monkeypatch.setattr(registry, "_load_traits", lambda names: {name: ["surrogates", False] for name in names})
    monkeypatch.setenv(registry.TRAITS, environment[registry.TRAITS])
    clear_caches()
    assert registry.kind("other") == "density"
    monkeypatch.setenv(registry.TRAITS, '{"another": ["density", false]}')  # of other packages
    clear_caches()
    assert registry.kind("other") == "surrogates"


def test_an_installed_model_gets_the_kinds_of_parameters(install: Install, size: Size, tmp_path: Path):
    install("other", "other_package:Other", "regression.cnn", "CNN", CONSTRUCTOR)
    parameters = ParameterSpace(("cutoff", "waveform"), ("continuous", "stepped"), (None, 4))
    checkpoints.save(models.find("other")(16, 20, parameters, size), "other", {}, {}, tmp_path / "checkpoint.pt")
    assert checkpoints.load(tmp_path / "checkpoint.pt").model.stepped == 1


@pytest.mark.slow
def test_planning_with_an_installed_model_does_not_load_torch(install: Install):
    install("other", "other_package:Other")
    program = (
        "import sys; from flowsynth.models.systems import System\n"
        "assert System.parse('other').is_control\n"
        "sys.exit('torch' in sys.modules or 'other_package' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", program], env=environment).returncode == 0


def test_own_models_are_planned_without_a_subprocess(install: Install, monkeypatch: pytest.MonkeyPatch):
    install("other", "other_package:Other")
    monkeypatch.setattr(registry.subprocess, "run", lambda *args, **options: pytest.fail("a subprocess"))
    assert System.parse("mean").is_control
    assert not System.parse("cnn").is_control


@pytest.mark.parametrize("name", ["cnn", "cnn_best16", "Other"])
def test_a_used_or_invalid_name_is_rejected(install: Install, name: str):
    install(name, "other_package")
    with pytest.raises(ValueError, match=f"other_package offers a model named '{name}'"):
        models.names()


@pytest.mark.usefixtures("in_process")
def test_an_entry_point_must_be_a_model(install: Install):
    install("other", "pathlib:Path")
    with pytest.raises(ValueError, match="pathlib:Path: got 0 models"):
        models.find("other")
    with pytest.raises(ValueError, match=r"the model other: .* pathlib:Path: got 0 models"):
        registry.controls()


@pytest.mark.usefixtures("in_process")
def test_an_unknown_kind_is_rejected(install: Install):
    install("other", "other_package:Other", body="kind = 'toys'")
    with pytest.raises(ValueError, match=r"the model other: .*'toys'"):
        registry.kind("other")


def test_a_reexported_model_is_rejected(install: Install):
    install("other", "reexport:Other")
    with pytest.raises(ValueError, match="offer it as other_package:Other"):
        models.find("other")


@pytest.mark.usefixtures("in_process")
def test_a_broken_package_is_named(install: Install):
    install("other", "nowhere.networks:Other")
    with pytest.raises(ValueError, match=r"the model other: .* from nowhere.networks:Other, but No module named"):
        registry.controls()
    with pytest.raises(ValueError, match=r"the model other: .* from the module nowhere.networks, but No module named"):
        registry.source_file("other")


@pytest.mark.slow
def test_a_package_that_ends_its_process_is_named(install: Install):
    install("other", "other_package:Other", body="import os; os._exit(3)")
    with pytest.raises(ValueError, match=r"the model other: .* status 3"):
        registry.controls()
