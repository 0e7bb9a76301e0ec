"""Registry of models. Importing it does not load torch.

The kind of a model is the folder of its file. A model of an installed package has the ``kind`` of its class, which is
loaded in a subprocess.
"""

import json
import os
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
KINDS = ("controls", "regression", "autoencoders", "density", "surrogates")  # folders of models
HUMAN_PRESETS_ONLY = frozenset({"nearest_people"})  # models of this package that set `Model.human_presets_only`
GROUP = "flowsynth.models"  # entry points by which installed packages offer models
TRAITS = "FLOWSYNTH_MODEL_TRAITS"  # environment variable by which a run passes the traits of their models to its jobs
# a system and its last step, see `flowsynth.models.systems`
SYSTEM_NAME = re.compile(
    r"(?P<base>[a-z][a-z0-9_]*)_(?P<method>best|corrected|refined|seed|mean|median|medoid|mode|ranked|descended)"
    r"(?P<number>[1-9][0-9]*)"
)


class Traits(NamedTuple):
    """Class attributes of a model that the workflow is planned by: `Model.kind`, `Model.human_presets_only`."""

    kind: str
    human_presets_only: bool


@cache
def models() -> dict[str, EntryPoint]:
    """Return all models by name: those of `flowsynth.models` and those of installed packages. Nothing is imported.

    Raises:
        ValueError: If a package offers a model whose name is already used or is not valid.
    """
    known = {name: EntryPoint(name, f"{GROUP}.{file.parent.name}.{name}", GROUP) for name, file in _files().items()}
    for offered in entry_points(group=GROUP):
        if (
            offered.name in known
            or SYSTEM_NAME.fullmatch(offered.name)
            or not re.fullmatch("[a-z][a-z0-9_]*", offered.name)
        ):
            raise ValueError(
                f"the installed package {offered.value} offers a model named {offered.name!r}: expected a name of "
                f"lower-case letters, digits and _ that is neither a system nor one of {', '.join(known)}"
            )
        known[offered.name] = offered
    return dict(sorted(known.items()))


@cache
def _files() -> dict[str, Path]:
    """Return the files of the models of this package by name."""
    files = [file for kind in KINDS for file in sorted((FOLDER / kind).glob("[a-z]*.py")) if file.stem != "base"]
    return {file.stem: file for file in files}


def package_models() -> frozenset[str]:
    """Return the names of the models of this package."""
    return frozenset(_files())


def source_file(model: str) -> Path:
    """Return the file that defines a model.

    Raises:
        ValueError: If the installed package that offers it is broken.
    """
    if model in _files():
        return _files()[model]
    module, reason = models()[model].module, "there is no such file"
    try:
        spec = find_spec(module)
    except ImportError as error:
        spec, reason = None, str(error)
    if spec is None or spec.origin is None:
        raise ValueError(f"the model {model}: an installed package offers it from the module {module}, but {reason}")
    return Path(spec.origin)


def _traits(model: str) -> Traits | None:
    """Return the traits of a model; None for other names, such as those of prediction files."""
    if model in _files():
        return Traits(_files()[model].parent.name, model in HUMAN_PRESETS_ONLY)
    if model not in models():
        return None
    traits = _installed_traits()[model]
    if isinstance(traits, str):
        value = models()[model].value
        raise ValueError(f"the model {model}: an installed package offers it from {value}, but {traits}")
    return traits


def traits_environment() -> dict[str, str]:
    """Return the environment of jobs that need not load the models of installed packages again for their traits."""
    return {TRAITS: json.dumps(_installed_traits())} if _installed_traits() else {}


@cache
def _installed_traits() -> dict[str, Traits | str]:
    """Return the traits of the models of installed packages, or the error where loading them failed."""
    names = [name for name in models() if name not in _files()]
    if not names:
        return {}
    traits = json.loads(os.environ.get(TRAITS) or "{}")
    if traits.keys() != set(names):  # in the process that plans the run
        traits = _load_traits(names)
    return {name: value if isinstance(value, str) else Traits(*value) for name, value in traits.items()}


def _load_traits(names: list[str]) -> dict[str, list | str]:
    """Load models in a subprocess; return the values of their traits, or the error where that failed."""
    program = "import sys; from flowsynth.models.base import print_traits; print_traits(sys.argv[1:])"
    path = os.pathsep.join(entry or os.curdir for entry in sys.path)
    # -P: no module of the working directory takes the place of another
    process = subprocess.run(
        [sys.executable, "-P", "-c", program, *names],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if process.returncode != 0:
        reason = (process.stderr.strip().splitlines() or [f"the process ended with status {process.returncode}"])[-1]
        return dict.fromkeys(names, f"loading it failed: {reason}")
    # the last line: packages may print when they are imported
    return json.loads(process.stdout.splitlines()[-1])


def kind(model: str) -> str | None:
    """Return the kind of a model, one of `KINDS`; None if there is no such model.

    >>> kind("cnn")
    'regression'
    """
    traits = _traits(model)
    return traits.kind if traits else None


@cache
def controls() -> frozenset[str]:
    """Return the names of all controls: the models of that kind, which are not trained, and the search by CMA-ES."""
    return _of_kind("controls") | {"search"}


@cache
def surrogates() -> frozenset[str]:
    """Return the names of all surrogates, the models that a surrogate search can use."""
    return _of_kind("surrogates")


def _of_kind(kind_: str) -> frozenset[str]:
    return frozenset(model for model in models() if kind(model) == kind_)


@cache
def human_presets_only() -> frozenset[str]:
    """Return the names of all models that are fitted to human-designed presets only."""
    return frozenset(model for model in models() if (traits := _traits(model)) and traits.human_presets_only)
