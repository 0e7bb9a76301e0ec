"""Parameter tables: each YAML file in ``specs`` describes a plugin, a Faust program next to it, or a Python package.

A table specifies the plugin, its installation, its preset banks or the number of synthetic presets, the parameters with
their ranges, and the parameter sets that data sets infer. Reading it does not require the plugin;
`flowsynth.rendering.host` loads the plugin and verifies it against the table.
"""

import fnmatch
import re
from dataclasses import dataclass, replace
from functools import cached_property
from glob import glob
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import numpy as np
import yaml
from jaxtyping import Float

from flowsynth.synths.parameter_space import Kind, ParameterSpace

FOLDER = Path(__file__).parent / "specs"
MAX_PRESETS, MAX_STEPS, MAX_NODES, MAX_REPEATS = 1_000_000, 1_000_000, 1_000_000, 100  # of a table
SAME_PARAMETERS = 0.05  # default of `Synth.same_parameters`
PACKAGES = ("dexed",)  # Python packages that can be rendered with
YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # seven times as fast, where PyYAML was built with libyaml


@dataclass(frozen=True)
class Parameter:
    """One parameter of a synthesizer, in the units of its preset files.

    Attributes:
        name: Name, as reported by the plugin.
        kind: ``continuous``, ``stepped`` (an ordered scale) or ``category``.
        low: Value at normalised 0.
        high: Value at normalised 1.
        default: Value in the base patch.
        unit: Unit of the value; may be empty.
        steps: Number of distinct values, None for a continuous parameter.
        text: Text shown by the plugin at normalised 0, 0.25, 0.75 and 1; empty for a Faust program or a package.
        draw: Distribution in synthetic presets: share of presets in which the parameter is not at its default, and low
            and high end of the range that it is then drawn from.
        start: Value after loading the plugin, if it differs from the default.
    """

    name: str
    kind: Kind
    low: float
    high: float
    default: float
    unit: str
    steps: int | None
    text: tuple[str, ...] = ()
    draw: tuple[float, float, float] = (0.0, 0.0, 0.0)
    start: float | None = None

    def normalise(self, value: float) -> float:
        """Map a value to [0, 1]; values outside the range are clamped."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def value(self, normalised: float) -> float:
        """Map [0, 1] to a value, rounded to the nearest step if the parameter has steps."""
        if self.steps:
            normalised = round(normalised * (self.steps - 1)) / (self.steps - 1)
        return self.low + normalised * (self.high - self.low)


@dataclass(frozen=True)
class Inactive:
    """Parameters that have no audible effect under a condition.

    Attributes:
        when: Condition: values of other parameters, in the units of preset files.
        parameters: Names of the inactive parameters.
    """

    when: dict[str, float]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Symmetry:
    """A change of a preset that has no audible effect under a condition.

    Attributes:
        when: Condition: values of parameters, in the units of preset files.
        exchange: Pairs of names of parameters that exchange their values.
        mirror: Names of parameters that are mirrored at the middle of their range.
    """

    when: dict[str, float]
    exchange: tuple[tuple[str, str], ...]
    mirror: tuple[str, ...]


@dataclass(frozen=True)
class Synth:
    """The parameter table of a synthesizer.

    Attributes:
        name: Name of the synthesizer, the first part of the name of a data set.
        plugin: Path of the plugin, of the Faust program (``.dsp``), or of the folder of the Python package.
        install: Installation instructions.
        banks: Glob patterns of the preset banks; empty if presets are synthetic.
        install_banks: Installation instructions of the banks, if they do not come with the plugin.
        presets: Number of synthetic presets if there are no banks.
        parameters: Parameters in the order of every parameter vector.
        sets: Names of the inferred parameters by their number.
        ranked: Names of the parameters that the rule ``select_parameters`` ranks.
        inactive: Parameters without an audible effect, with conditions.
        symmetries: Changes without an audible effect, with conditions.
        has_published_split: Whether the banks are the partitions ``train``, ``valid``, ``test`` of a published split.
        users_home: Whether the plugin needs the user's home folder, e.g. for its licence.
        same_parameters: Mean absolute difference of the inferred parameters within which two presets are near-duplicates.
        package: Name of the Python package that renders it; empty for a plugin or a Faust program.
    """

    name: str
    plugin: Path
    install: str
    banks: tuple[str, ...]
    presets: int
    parameters: tuple[Parameter, ...]
    sets: dict[int, tuple[str, ...]]
    ranked: tuple[str, ...] = ()
    inactive: tuple[Inactive, ...] = ()
    symmetries: tuple[Symmetry, ...] = ()
    has_published_split: bool = False
    users_home: bool = False
    same_parameters: float = SAME_PARAMETERS
    package: str = ""
    install_banks: str = ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all parameters."""
        return tuple(p.name for p in self.parameters)

    @property
    def base(self) -> Float[np.ndarray, " parameters"]:
        """The base patch: every default, normalised."""
        return np.array([p.normalise(p.default) for p in self.parameters])

    def bank_files(self) -> list[Path]:
        """List the preset banks, in the order of their patterns and then of their names."""
        return [Path(path) for pattern in self.banks for path in sorted(glob(pattern))]  # noqa: PTH207, of any folder

    def with_banks(self, pattern: str | None) -> "Synth":
        """Replace the preset banks by those of a glob pattern; None keeps them."""
        if pattern is None:
            return self
        return replace(self, banks=(pattern,), install_banks="name banks that exist", presets=0)

    def columns(self, names: tuple[str, ...]) -> list[int]:
        """Return the positions of parameters in a full vector."""
        return [self.names.index(name) for name in names]

    def space(self, names: tuple[str, ...]) -> ParameterSpace:
        """Describe some parameters for a model that predicts them."""
        parameters = [self.parameters[column] for column in self.columns(names)]
        return ParameterSpace(names, tuple(p.kind for p in parameters), tuple(p.steps for p in parameters))

    def expand(
        self, values: Float[np.ndarray, "items inferred"], names: tuple[str, ...]
    ) -> Float[np.ndarray, "items parameters"]:
        """Complete inferred values with the base patch.

        Args:
            values: One row per item, in [0, 1].
            names: Column names of `values`.

        Returns:
            Full vectors, float32; other parameters are at their default.
        """
        full = np.tile(self.base.astype(np.float32), (len(values), 1))
        full[:, self.columns(names)] = values
        return full


def available() -> list[str]:
    """List the names of the synthesizers with a parameter table."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read(path: Path) -> Synth:
    """Read a parameter table.

    Raises:
        ValueError: If the table is no valid YAML, lacks an entry, or is inconsistent.
    """
    table = _read_yaml(path)
    try:
        return _synth(table, path)
    except KeyError as error:
        raise ValueError(f"{path} has no {error}: expected an entry as in the tables of {FOLDER}") from error
    except (TypeError, AttributeError) as error:
        raise ValueError(f"{path} has an entry of the wrong type ({error}): compare it with {FOLDER}") from error


def _read_yaml(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    try:
        # references (*name) to references may make a few lines stand for a table that fills the memory
        if "&" in text and _size(yaml.compose(text, YAML_LOADER), {}) > MAX_NODES:
            raise ValueError(f"{path} has references to references (*name): write the values instead")
        table = yaml.load(text, YAML_LOADER)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"{path} is no valid YAML: {error}") from error
    if not isinstance(table, dict):
        raise ValueError(f"{path} is no parameter table: expected entries name, plugin, parameters and sets")
    return table


def _size(node: yaml.Node, known: dict[yaml.Node, int]) -> int:
    """Count the nodes of a YAML document with its references replaced by what they refer to."""
    if node not in known:
        children = node.value if isinstance(node, yaml.SequenceNode) else []
        children = [child for pair in node.value for child in pair] if isinstance(node, yaml.MappingNode) else children
        known[node] = 1 + sum(_size(child, known) for child in children)
    return known[node]


def _in_package(name: str) -> Path:
    """Return the folder of an installed package, or its name if it is not installed; it is not imported."""
    module = find_spec(name)
    return Path(module.origin).parent if module and module.origin else Path(name)


def _bank_pattern(text: str, folder: Path) -> str:
    """Resolve a pattern of banks: ``python:PACKAGE/...`` lies in an installed package."""
    if not text.startswith("python:"):
        return str(folder / text)
    package, _, rest = text.removeprefix("python:").partition("/")
    if not package.isidentifier():  # of a dotted name, find_spec would import the first part
        raise ValueError(f"banks {text!r:.60}: expected python:PACKAGE/PATTERN")
    return str(_in_package(package) / rest)


def _repeated(rows: dict[str, Any]) -> dict[str, Any]:
    """Replace each group of rows that are repeated under several prefixes; a later row of the same name overrides."""
    flat: dict[str, Any] = {}
    for name, row in rows.items():
        if "repeat" in row:
            _check_repeats(row["repeat"])
            flat |= {f"{prefix}_{inner}": r for prefix in row["repeat"] for inner, r in row["parameters"].items()}
        else:
            flat[name] = row
    return flat


def _check_repeats(prefixes: list[str]) -> None:
    """Check the length of a list for which many rows are made."""
    if len(prefixes) > MAX_REPEATS:
        raise ValueError(f"got {len(prefixes)} prefixes of repeated rows, expected up to {MAX_REPEATS}")


def _inactive(row: dict[str, Any]) -> list[Inactive]:
    """Read a rule on inactive parameters, once for each prefix that it is repeated under."""
    _check_repeats(row.get("repeat", []))
    prefixes = [f"{prefix}_" for prefix in row.get("repeat", [])] or [""]
    return [
        Inactive(
            {p + name: value for name, value in row["when"].items()}, tuple(p + name for name in row["parameters"])
        )
        for p in prefixes
    ]


def _exchanged(pairs: list[tuple[str, str]], rows: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Replace each pair of prefixes of repeated rows by the pairs of all their parameters."""
    repeated = {prefix: row["parameters"] for row in rows.values() if "repeat" in row for prefix in row["repeat"]}
    return tuple(
        (f"{a}_{name}", f"{b}_{name}") if a in repeated else (a, b) for a, b in pairs for name in repeated.get(a, [""])
    )


def _matching(members: list[str], names: tuple[str, ...]) -> tuple[str, ...]:
    """Replace each pattern with ``*`` by the names that match it."""
    return tuple(name for member in members for name in (fnmatch.filter(names, member) if "*" in member else [member]))


def _synth(table: dict[str, Any], path: Path) -> Synth:
    if not re.fullmatch("[a-z]+", str(table["name"])):
        raise ValueError(f"name {table['name']!r:.60}: expected lower-case letters ({path})")
    parameters = tuple(_parameter(name, row, path) for name, row in _repeated(table["parameters"]).items())
    groups = {
        "all": tuple(p.name for p in parameters),
        "continuous": tuple(p.name for p in parameters if p.kind == "continuous"),
    }
    sets = {}
    for size, members in table["sets"].items():
        names = groups[members] if isinstance(members, str) else _matching(members, groups["all"])
        unknown = set(names) - set(groups["all"])
        if unknown or len(set(names)) != size:
            raise ValueError(f"set {size}: got {len(set(names))} parameters, unknown: {sorted(unknown)} ({path})")
        # the order of the table, whatever the order in the file
        sets[size] = tuple(name for name in groups["all"] if name in names)
    inactive = tuple(rule for row in table.get("inactive", []) for rule in _inactive(row))
    for row in table.get("symmetries", []):
        _check_repeats(row.get("permute", []))
    symmetries = tuple(
        Symmetry(row["when"], _exchanged(pairs, table["parameters"]), tuple(row.get("mirror", [])))
        for row in table.get("symmetries", [])
        for pairs in ([[pair] for pair in combinations(row["permute"], 2)] if "permute" in row else [row["exchange"]])
    )
    in_rules = {name for rule in inactive for name in (*rule.when, *rule.parameters)}
    in_rules |= {name for rule in symmetries for group in (rule.when, *rule.exchange, rule.mirror) for name in group}
    unknown = in_rules - set(groups["all"])
    if unknown:
        raise ValueError(f"unknown parameters in inactive or symmetries: {sorted(unknown)} ({path})")
    if ("banks" in table) == ("presets" in table):
        raise ValueError(f"expected either banks or a number of synthetic presets ({path})")
    if not 0 <= int(table.get("presets", 0)) <= MAX_PRESETS:
        raise ValueError(f"presets = {table['presets']}, expected up to {MAX_PRESETS:,} ({path})")
    if "plugin" in table and "package" in table:
        raise ValueError(f"expected either plugin or package ({path})")
    if table.get("package", PACKAGES[0]) not in PACKAGES:
        raise ValueError(f"package {table['package']!r:.60}, expected one of {PACKAGES} ({path})")
    banks = table.get("banks", [])
    return Synth(
        name=table["name"],
        plugin=_in_package(table["package"]) if "package" in table else path.parent / table["plugin"],
        install=table["install"],
        banks=tuple(_bank_pattern(text, path.parent) for text in ([banks] if isinstance(banks, str) else banks)),
        presets=table.get("presets", 0),
        parameters=parameters,
        sets=sets,
        ranked=groups[table.get("ranked", "continuous")],
        inactive=inactive,
        symmetries=symmetries,
        has_published_split=table.get("parts", False),
        users_home=table.get("users_home", False),
        same_parameters=float(table.get("same_parameters", SAME_PARAMETERS)),
        package=table.get("package", ""),
        install_banks=table.get("install_banks", ""),
    )


def _parameter(name: str, row: dict, path: Path) -> Parameter:
    low, high = row["range"]
    if not low <= row["default"] <= high or low >= high:
        raise ValueError(f"{name}: default {row['default']} and range {low} to {high} are inconsistent ({path})")
    if row["kind"] not in get_args(Kind) or (row["kind"] == "continuous") == ("steps" in row):
        raise ValueError(
            f"{name}: kind {row['kind']!r}, expected continuous, or stepped or category with its steps ({path})"
        )
    if not 2 <= int(row.get("steps", 2)) <= MAX_STEPS:
        raise ValueError(f"{name}: steps = {row['steps']}, expected 2 to {MAX_STEPS:,} ({path})")
    share, least, most = row.get("draw", (0.0, low, high))
    if not (0 <= share <= 1 and low <= least <= most <= high):
        raise ValueError(f"{name}: draw {row['draw']}, expected a share and a range within {low} to {high} ({path})")
    start = row.get("start")
    if start is not None and not low <= start <= high:
        raise ValueError(f"{name}: start {start} is outside of {low} to {high} ({path})")
    text, draw = tuple(row.get("text", ())), (share, least, most)
    return Parameter(name, row["kind"], low, high, row["default"], row["unit"], row.get("steps"), text, draw, start)


def load(name: str) -> Synth:
    """Read the parameter table of a synthesizer by name.

    Raises:
        ValueError: If there is no such table; the message lists the available ones.
    """
    if name not in available():
        raise ValueError(f"unknown synthesizer {name!r}, expected one of {available()} ({FOLDER})")
    return read(FOLDER / f"{name}.yaml")


def dataset(name: str) -> tuple[Synth, tuple[str, ...]]:
    """Resolve the name of a data set to its synthesizer and inferred parameters.

    Args:
        name: Name such as ``amsynth16``.

    Returns:
        The synthesizer, and the names of the inferred parameters in the table's order.

    Raises:
        ValueError: If there is no such data set; the message lists the available ones.
    """
    match = re.fullmatch(r"([a-z]+)([1-9][0-9]*)", name)
    if match and match[1] in available():
        synth = load(match[1])
        if int(match[2]) in synth.sets:
            return synth, synth.sets[int(match[2])]
    sets = [f"{synth}{size}" for synth in available() for size in load(synth).sets]
    raise ValueError(f"unknown data set {name!r}, expected one of {sets}")
