"""Systems: a model, and what is done with its answers before they count, told from one name.

``MODEL_bestN`` draws N answers, renders them and keeps the one that sounds closest to what was heard. ``MODEL_correctedN``
also has N renderings, and tells the model what they sounded like (`flowsynth.inference.surrogate_search`).
``SYSTEM_refinedN`` goes on from the answer of a system by a search of N renderings: ``npe_nsf_best16_refined64`` takes 80
for a sound, and ``nearest_refined80`` is its control. ``MODEL_seedN`` is a model trained once more, with other weights to
begin with and another order of the items. Everything else in the pipeline takes a system for a model.
"""

import ast
import re
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

ANSWERS = (".csv", ".csv.gz", ".h5", ".hdf5")  # suffixes of files of answers
UNCORRECTED = 2  # answers that are rendered before a model is told what they sounded like
FOLDER = Path(__file__).parent
KINDS = ("controls", "regression", "autoencoders", "density", "surrogates")  # folders of models
GROUP = "flowsynth.models"  # of entry points, by which installed packages offer models
NAME = re.compile(r"(?P<of>[a-z][a-z0-9_]*)_(?P<how>best|corrected|refined|seed)(?P<number>[1-9][0-9]*)")


class Step(NamedTuple):
    """The last step of a system: what its answers come from, how, and the renderings that takes for a sound, or the seed."""

    of: str
    how: Literal["best", "corrected", "refined", "seed"]
    number: int


@cache
def models() -> dict[str, EntryPoint]:
    """All models by name: the files of `flowsynth.models`, and what installed packages offer. Nothing is imported.

    Raises:
        ValueError: If a package offers a model under a name that is taken, or that is no name of a model.
    """
    files = [file for kind in KINDS for file in (FOLDER / kind).glob("[a-z]*.py") if file.stem != "base"]
    found = {
        file.stem: EntryPoint(file.stem, f"{GROUP}.{file.parent.name}.{file.stem}", GROUP) for file in sorted(files)
    }
    for offered in entry_points(group=GROUP):
        if offered.name in found or last_step(offered.name) or not re.fullmatch("[a-z][a-z0-9_]*", offered.name):
            raise ValueError(
                f"the installed package {offered.value} offers a model named {offered.name!r}: expected a name of small "
                f"letters, digits and _ that is not taken and no system; taken are {', '.join(found)}"
            )
        found[offered.name] = offered
    return dict(sorted(found.items()))


def source(model: str) -> Path:
    """The file that a model is written in.

    Raises:
        ValueError: If a package that offers it is broken.
    """
    own = [path for kind in KINDS if (path := FOLDER / kind / f"{model}.py").exists()]
    if own:
        return own[0]
    offered, reason = models()[model].module, "there is no such file"
    try:
        spec = find_spec(offered)
    except ImportError as error:
        spec, reason = None, str(error)
    if spec is None or spec.origin is None:
        raise ValueError(f"the model {model}: an installed package offers it from the module {offered}, but {reason}")
    return Path(spec.origin)


def last_step(system: str) -> Step | None:
    """Take a name apart; None for a model, whose first answer counts."""
    found = NAME.fullmatch(system)
    return Step(found["of"], found["how"], int(found["number"])) if found else None  # type: ignore[arg-type]


def model_of(system: str) -> str:
    """The model that a system hears with."""
    step = last_step(system)
    return model_of(step.of) if step else system


def renderings(system: str) -> int:
    """How many renderings for each sound a system takes before it answers."""
    step = last_step(system)
    return renderings(step.of) + (step.number if step.how != "seed" else 0) if step else 0


@cache
def controls() -> frozenset[str]:
    """Models in which nothing is trained, told from their sources: the classes that are derived from ``Control``."""
    return _derived_from("Control") | {"search"}


@cache
def surrogates() -> frozenset[str]:
    """Models that can be corrected, told from their sources: the classes that are derived from ``Surrogate`` itself."""
    return _derived_from("Surrogate")


@cache
def people_only() -> frozenset[str]:
    """Models that get no drawn presets, told from their sources: classes derived from ``PeopleOnly`` itself."""
    return _derived_from("PeopleOnly")


def _derived_from(base: str) -> frozenset[str]:
    """Models whose source has a class with that base; importing them would take torch."""
    return frozenset(model for model in models() if base in _bases(source(model)))


def _bases(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return {
        ast.unparse(base).rpartition(".")[2] for node in nodes if isinstance(node, ast.ClassDef) for base in node.bases
    }


def training_of(system: str) -> int:
    """Which training of its model a system has: 1, or the number behind ``seed``."""
    step = last_step(system)
    if step is None:
        return 1
    return step.number if step.how == "seed" else training_of(step.of)


def is_control(system: str) -> bool:
    """Whether nothing in it is trained."""
    return model_of(system) in controls()


def check(system: str) -> None:
    """Refuse what makes no sense.

    Raises:
        ValueError: If several answers are asked of what is no model, another seed of what is not trained, corrections of
            what can't be corrected, or the number of a step is 1.
    """
    step = last_step(system)
    while step:
        before = last_step(step.of)
        if step.how == "seed" and (before or step.number < 2 or is_control(step.of)):
            raise ValueError(
                f"{system}: expected the name of a model that is trained, then _seed2 or more: its first is 1"
            )
        if step.number < 2:
            raise ValueError(f"{system}: {step.how}{step.number} chooses among one sound, expected at least two")
        if step.how == "best" and before and before.how != "seed":
            raise ValueError(f"{system}: only a model has several answers to take the best of, and {step.of} is none")
        if step.how == "corrected" and step.number <= UNCORRECTED:
            raise ValueError(f"{system}: the first {UNCORRECTED} renderings correct nothing, expected more of them")
        if step.how == "corrected" and (model_of(step.of) not in surrogates() or (before and before.how != "seed")):
            raise ValueError(f"{system}: only {', '.join(sorted(surrogates()))} can be told what answers sounded like")
        step = before


def is_answers(name: str) -> bool:
    """Whether a candidate is a file of answers and not the name of a model."""
    return name.endswith(ANSWERS)


def name_of_answers(name: str) -> str:
    """What a file of answers is called in tables: its name without its suffixes."""
    return Path(name).name.partition(".")[0]
