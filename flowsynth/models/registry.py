"""Registry of models and systems. Importing it does not load torch.

A system is a model together with the processing of its predictions. Its name says both:

====================  ================================================================================================
name                  meaning
====================  ================================================================================================
``MODEL_bestN``       best of N: render N predictions and keep the one closest to the target
``MODEL_correctedN``  surrogate search with N renderings, see `flowsynth.inference.surrogate_search`
``SYSTEM_refinedN``   refinement of the prediction of a system by CMA-ES with N renderings
``MODEL_seedN``       the model trained again with other initial weights and another order of the items
====================  ================================================================================================

For example, ``npe_nsf_best16_refined64`` makes 80 renderings per sound, and ``nearest_refined80`` is its control. The
rest of the pipeline treats systems as models.

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
from typing import Literal, NamedTuple

PREDICTION_SUFFIXES = (".csv", ".csv.gz", ".h5", ".hdf5")
INITIAL_CANDIDATES = 2  # predictions that a surrogate search renders before its first correction
FOLDER = Path(__file__).parent
KINDS = ("controls", "regression", "autoencoders", "density", "surrogates")  # folders of models
HUMAN_PRESETS_ONLY = frozenset({"nearest_people"})  # models of this package that set `Model.human_presets_only`
GROUP = "flowsynth.models"  # entry points by which installed packages offer models
SYSTEM_NAME = re.compile(r"(?P<base>[a-z][a-z0-9_]*)_(?P<method>best|corrected|refined|seed)(?P<number>[1-9][0-9]*)")


class Step(NamedTuple):
    """Last step of a system.

    Attributes:
        base: System or model whose predictions it processes, or model that is trained again.
        method: What it does.
        number: Renderings per sound, or number of the training.
    """

    base: str
    method: Literal["best", "corrected", "refined", "seed"]
    number: int


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
        if offered.name in known or last_step(offered.name) or not re.fullmatch("[a-z][a-z0-9_]*", offered.name):
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


@cache
def _installed_traits() -> dict[str, Traits | str]:
    """Load the models of installed packages in a subprocess; return their traits, or the error where that failed."""
    names = [name for name in models() if name not in _files()]
    if not names:
        return {}
    program = "import sys; from flowsynth.models.base import print_traits; print_traits(sys.argv[1:])"
    path = os.pathsep.join(entry or os.curdir for entry in sys.path)
    # -P: no module of the working directory takes the place of another
    process = subprocess.run(
        [sys.executable, "-P", "-c", program, *names],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode != 0:
        reason = (process.stderr.strip().splitlines() or [f"the process ended with status {process.returncode}"])[-1]
        return dict.fromkeys(names, f"loading it failed: {reason}")
    # the last line: packages may print when they are imported
    traits = json.loads(process.stdout.splitlines()[-1])
    return {name: value if isinstance(value, str) else Traits(*value) for name, value in traits.items()}


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


def last_step(system: str) -> Step | None:
    """Split the name of a system into its last step and what precedes it; None for the name of a model.

    >>> last_step("npe_nsf_best16_refined64")
    Step(base='npe_nsf_best16', method='refined', number=64)
    """
    match = SYSTEM_NAME.fullmatch(system)
    return Step(match["base"], match["method"], int(match["number"])) if match else None  # type: ignore[arg-type]


def model_of(system: str) -> str:
    """Return the model that a system is built on.

    >>> model_of("npe_nsf_best16_refined64")
    'npe_nsf'
    """
    step = last_step(system)
    return model_of(step.base) if step else system


def render_count(system: str) -> int:
    """Return the number of renderings per sound that a system makes before its final prediction.

    >>> render_count("npe_nsf_best16_refined64")
    80
    """
    step = last_step(system)
    return render_count(step.base) + (step.number if step.method != "seed" else 0) if step else 0


def training_number(system: str) -> int:
    """Return which training of its model a system uses: the number after ``seed``, else 1.

    >>> training_number("npe_nsf_seed3_best16")
    3
    """
    step = last_step(system)
    if step is None:
        return 1
    return step.number if step.method == "seed" else training_number(step.base)


def is_control(system: str) -> bool:
    """Return whether a system is built on a control."""
    model = model_of(system)
    return model == "search" or kind(model) == "controls"


def has_latent(system: str) -> bool:
    """Return whether the model of a system has a latent space to explore."""
    return kind(model_of(system)) == "autoencoders"


def validate(system: str) -> None:
    """Check that the steps of a system can be combined.

    Raises:
        ValueError: If best of N is not applied to a model, a second seed to a trained model, or a correction to a
            surrogate, or if the number of a step is too small.
    """
    step = last_step(system)
    while step:
        before = last_step(step.base)
        if step.method == "seed" and (before or step.number < 2 or is_control(step.base)):
            raise ValueError(f"{system}: expected _seed2 or higher directly after a trained model; its first seed is 1")
        if step.number < 2:
            raise ValueError(f"{system}: {step.method}{step.number} has one rendering, expected at least 2")
        if step.method == "best" and before and before.method != "seed":
            raise ValueError(f"{system}: best of N needs a model, and {step.base} is a system with one prediction")
        if step.method == "corrected" and step.number <= INITIAL_CANDIDATES:
            raise ValueError(f"{system}: the first {INITIAL_CANDIDATES} renderings are not corrected, expected more")
        if step.method == "corrected" and (
            kind(model_of(step.base)) != "surrogates" or (before and before.method != "seed")
        ):
            raise ValueError(f"{system}: _corrected needs a surrogate model ({', '.join(sorted(surrogates()))})")
        step = before


def is_prediction_file(name: str) -> bool:
    """Return whether a candidate is a file of predictions rather than the name of a system."""
    return name.endswith(PREDICTION_SUFFIXES)


def prediction_name(name: str) -> str:
    """Return the name of a file of predictions in tables: its file name without suffixes.

    >>> prediction_name("submissions/mine.csv.gz")
    'mine'
    """
    return Path(name).name.partition(".")[0]
