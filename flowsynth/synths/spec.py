"""Synthesizers as data: each YAML file here is the parameter table of one plugin, or of a Faust program beside it.

A table names the plugin, how to install it, where its banks are or how many presets are to be drawn, its parameters with
their ranges, and the sets of parameters that data sets infer. Reading one needs no plugin; `flowsynth.rendering.host` opens
the plugin and holds it to its table.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import yaml
from jaxtyping import Float

FOLDER = Path(__file__).parent / "specs"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a synthesizer, in the units of its preset files.

    Attributes:
        name: As the plugin reports it.
        kind: ``continuous`` or ``stepped``.
        low: Value at normalised 0.
        high: Value at normalised 1.
        default: Value of the base patch.
        unit: Of the value; empty where it has none.
        steps: Number of distinct values of a stepped parameter, else None.
        text: What the plugin shows at normalised 0, 0.25, 0.75 and 1; nothing, of a Faust program.
        draw: Of presets that are drawn: the share of them in which the parameter is not at its default, and the range that
            it is drawn from there.
        start: Value that the plugin starts with, where that is not the base patch's.
    """

    name: str
    kind: Literal["continuous", "stepped"]
    low: float
    high: float
    default: float
    unit: str
    steps: int | None
    text: tuple[str, ...] = ()
    draw: tuple[float, float, float] = (0.0, 0.0, 0.0)
    start: float | None = None

    def normalise(self, value: float) -> float:
        """Map a value to [0, 1]; what lies outside the range is clamped."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def value(self, normalised: float) -> float:
        """Map [0, 1] to a value, the nearest one there is of a stepped parameter."""
        if self.steps:
            normalised = round(normalised * (self.steps - 1)) / (self.steps - 1)
        return self.low + normalised * (self.high - self.low)


@dataclass(frozen=True)
class Inactive:
    """Parameters that can't be heard.

    Attributes:
        when: Values of other parameters, in the units of preset files, with which this is so.
        parameters: Their names.
    """

    when: dict[str, float]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Symmetry:
    """A change of a preset that can't be heard.

    Attributes:
        when: Values of parameters, in the units of preset files, with which this is so.
        exchange: Names of parameters that exchange their values.
        mirror: Names of parameters that are mirrored at the middle of their range.
    """

    when: dict[str, float]
    exchange: tuple[tuple[str, str], ...]
    mirror: tuple[str, ...]


@dataclass(frozen=True)
class Synth:
    """The parameter table of a synthesizer.

    Attributes:
        name: Of the synthesizer, the first part of a data set's name.
        plugin: Path of the plugin, or of a Faust program, ``.dsp``.
        install: What to do where the plugin is missing.
        banks: Glob pattern of its preset banks; empty, if presets are drawn.
        presets: How many are drawn where there are no banks.
        parameters: In the table's order, which is that of every vector of values.
        sets: Names of the inferred parameters by their number.
        inactive: What can't be heard, and when.
        symmetries: Changes that can't be heard, and when.
        parts: Whether its banks are the parts ``train``, ``valid`` and ``test`` of a split that was published.
        users_home: Whether the plugin sees the user's home folder, as one does whose licence is kept there.
    """

    name: str
    plugin: Path
    install: str
    banks: str
    presets: int
    parameters: tuple[Parameter, ...]
    sets: dict[int, tuple[str, ...]]
    inactive: tuple[Inactive, ...] = ()
    symmetries: tuple[Symmetry, ...] = ()
    parts: bool = False
    users_home: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all parameters."""
        return tuple(p.name for p in self.parameters)

    @property
    def base(self) -> Float[np.ndarray, " parameters"]:
        """The base patch: every default, normalised."""
        return np.array([p.normalise(p.default) for p in self.parameters])

    def columns(self, names: tuple[str, ...]) -> list[int]:
        """Positions of the named parameters in a full vector."""
        return [self.names.index(name) for name in names]

    def expand(
        self, values: Float[np.ndarray, "items inferred"], names: tuple[str, ...]
    ) -> Float[np.ndarray, "items parameters"]:
        """Put inferred values on the base patch.

        Args:
            values: One row an item, in [0, 1].
            names: Names of the columns of `values`.

        Returns:
            Full vectors, float32; parameters that are not named stay at the base patch.
        """
        full = np.tile(self.base.astype(np.float32), (len(values), 1))
        full[:, self.columns(names)] = values
        return full


def known() -> list[str]:
    """Names of the synthesizers that have a table here."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read(path: Path) -> Synth:
    """Read a parameter table.

    Raises:
        ValueError: Where the table contradicts itself.
    """
    table = yaml.safe_load(path.read_text())
    parameters = tuple(_parameter(name, row, path) for name, row in table["parameters"].items())
    groups = {
        "all": tuple(p.name for p in parameters),
        "continuous": tuple(p.name for p in parameters if p.kind == "continuous"),
    }
    sets = {}
    for size, members in table["sets"].items():
        names = groups[members] if isinstance(members, str) else tuple(members)
        unknown = set(names) - set(groups["all"])
        if unknown or len(set(names)) != size:
            raise ValueError(f"set {size}: got {len(set(names))} parameters, unknown: {sorted(unknown)} ({path})")
        # the table's order, so that a set is the same whoever wrote it down
        sets[size] = tuple(name for name in groups["all"] if name in names)
    inactive = tuple(Inactive(row["when"], tuple(row["parameters"])) for row in table.get("inactive", []))
    symmetries = tuple(
        Symmetry(row["when"], tuple((a, b) for a, b in row["exchange"]), tuple(row["mirror"]))
        for row in table.get("symmetries", [])
    )
    said = {name for rule in inactive for name in (*rule.when, *rule.parameters)}
    said |= {name for rule in symmetries for part in (rule.when, *rule.exchange, rule.mirror) for name in part}
    if said - set(groups["all"]):
        raise ValueError(
            f"inactive and symmetries name the unknown parameters {sorted(said - set(groups['all']))} ({path})"
        )
    if ("banks" in table) == ("presets" in table):
        raise ValueError(f"expected banks, or a number of presets to draw, and not both or neither ({path})")
    plugin, banks = path.parent / table["plugin"], str(path.parent / table["banks"]) if "banks" in table else ""
    made, more = (banks, table.get("presets", 0)), (table.get("parts", False), table.get("users_home", False))
    return Synth(table["name"], plugin, table["install"], *made, parameters, sets, inactive, symmetries, *more)


def _parameter(name: str, row: dict, path: Path) -> Parameter:
    low, high = row["range"]
    if not low <= row["default"] <= high or low >= high:
        raise ValueError(f"{name}: default {row['default']} and range {low} to {high} do not fit ({path})")
    if row["kind"] not in ("continuous", "stepped") or (row["kind"] == "stepped") != ("steps" in row):
        raise ValueError(f"{name}: kind {row['kind']!r}, expected continuous, or stepped with its steps ({path})")
    share, least, most = row.get("draw", (0.0, low, high))
    if not (0 <= share <= 1 and low <= least <= most <= high):
        raise ValueError(f"{name}: draw {row['draw']}, expected a share and a range within {low} to {high} ({path})")
    start = row.get("start")
    if start is not None and not low <= start <= high:
        raise ValueError(f"{name}: start {start} is outside of {low} to {high} ({path})")
    shown, draw = tuple(row.get("text", ())), (share, least, most)
    return Parameter(name, row["kind"], low, high, row["default"], row["unit"], row.get("steps"), shown, draw, start)


def load(name: str) -> Synth:
    """Read the table of a synthesizer by its name.

    Raises:
        ValueError: If there is no such table; the message lists those there are.
    """
    if name not in known():
        raise ValueError(f"unknown synthesizer {name!r}, expected one of {known()} ({FOLDER})")
    return read(FOLDER / f"{name}.yaml")


def dataset(name: str) -> tuple[Synth, tuple[str, ...]]:
    """Split the name of a data set into its synthesizer and the parameters to infer.

    Args:
        name: Such as ``amsynth16``.

    Returns:
        The synthesizer, and the names of the inferred parameters in the table's order.

    Raises:
        ValueError: If there is no such data set; the message lists those there are.
    """
    match = re.fullmatch(r"([a-z]+)([1-9][0-9]*)", name)
    if match and match[1] in known():
        synth = load(match[1])
        if int(match[2]) in synth.sets:
            return synth, synth.sets[int(match[2])]
    sets = [f"{synth}{size}" for synth in known() for size in load(synth).sets]
    raise ValueError(f"unknown data set {name!r}, expected one of {sets}")
