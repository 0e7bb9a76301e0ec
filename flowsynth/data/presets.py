"""Presets made by people: from a synthesizer's bank files to a table of normalised values.

Banks are files in the formats of VST (`flowsynth.data.vst_presets`), or text: a first line that names the synthesizer, then
for each preset a line ``<preset> <name> NAME`` and a line ``<parameter> NAME VALUE`` for each parameter, and ``EOF``. A
parameter that a preset does not give takes its default. Or a bank is a table, ``.csv``, with the columns ``name`` and
``bank`` (which is what presets say they are from), one for each parameter that is not at its default, in the units of the
synthesizer, and any that begin with ``tag:``, which are passed over.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from flowsynth.core.provenance import write_text
from flowsynth.core.seeding import derive_seed, uniform_by_id
from flowsynth.data import prior, vst_presets
from flowsynth.synths.spec import Synth

PRESET = "<preset> <name>"
PARAMETER = "<parameter>"
COLUMNS = ("id", "name", "bank")
TAG = "tag:"
LONGEST_NAME = 60  # characters


@dataclass
class Preset:
    """A preset as its bank gives it: values by parameter name, in the bank's units."""

    name: str
    bank: str
    values: dict[str, float] = field(default_factory=dict)


def read_bank(path: Path, synth: Synth) -> list[Preset]:
    """Read one bank file.

    Raises:
        ValueError: If any line is malformed; the message names every such line, and how many presets it spoils.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    presets: list[Preset] = []
    faults: list[str] = []
    spoilt: set[int] = set()
    if not lines or lines[0].strip().lower() != synth.name:
        raise ValueError(f"{path}:1: got {lines[:1]}, expected a bank of {synth.name} that starts with its name")
    for number, line in enumerate(lines[1:], start=2):
        fault = _read_line(line.strip(), presets, path, synth)
        if fault:
            faults.append(f"{path}:{number}: {fault}")
            spoilt.add(len(presets))
    while lines[-1].strip() == "":
        lines.pop()
    if lines[-1].strip() != "EOF":
        faults.append(f"{path}:{len(lines)}: the bank ends without EOF, it may be truncated")
        spoilt.add(len(presets))
    if faults:
        spoilt.discard(0)  # what stands before the first preset
        count = f"{len(spoilt)} of {len(presets)} presets of this bank can't be read; mend it or take it away"
        raise ValueError("\n".join([*faults, count]))
    return presets


def _read_line(line: str, presets: list[Preset], path: Path, synth: Synth) -> str | None:
    """Take one line into the presets read so far; what is wrong with it, or None."""
    if not line or line == "EOF":
        return None
    if line.startswith(PRESET):
        presets.append(Preset(line[len(PRESET) :].strip(), path.name))
        return None
    kind, _, rest = line.partition(" ")
    given = rest.rsplit(maxsplit=1)  # a name may have spaces
    if kind != PARAMETER or len(given) != 2:
        return f"got {line!r}, expected '{PRESET} NAME' or '{PARAMETER} NAME VALUE'"
    if not presets:
        return "a parameter before the first preset"
    name, text = given
    if name not in synth.names:
        return f"unknown parameter {name!r}"
    if name in presets[-1].values:
        return f"parameter {name!r} a second time in preset {presets[-1].name!r}"
    try:
        value = float(text)
    except ValueError:
        return f"{name} = {text!r}, expected a number"
    if not math.isfinite(value):
        return f"{name} = {text}, expected a finite number"
    presets[-1].values[name] = value
    return None


def read_bank_table(path: Path, synth: Synth) -> list[Preset]:
    """Read one bank that is a table.

    Raises:
        ValueError: If a column is missing or unknown, or a value is no finite number; the message says which.
    """
    table = pd.read_csv(path, dtype={"name": str, "bank": str}, keep_default_na=False)
    given = [column for column in table.columns if column not in COLUMNS[1:] and not column.startswith(TAG)]
    unknown, missing = sorted(set(given) - set(synth.names)), sorted(set(COLUMNS[1:]) - set(table.columns))
    if unknown or missing:
        raise ValueError(f"{path}: columns: {unknown} are no parameters of {synth.name}, {missing} are missing")
    values = table[given].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    rows, columns = np.nonzero(~np.isfinite(values))
    if len(rows):
        row, name = rows[0], given[columns[0]]
        raise ValueError(f"{path}: preset {table['name'][row]}: {name} = {table[name][row]!r}, expected a number")
    heads = zip(table["name"], table["bank"], values.tolist(), strict=True)
    return [Preset(name, bank, dict(zip(given, row, strict=True))) for name, bank, row in heads]


def called(name: str) -> str:
    """A name that a preset or a file can have: the beginning of a long one, with ? for what is no text."""
    return name[:LONGEST_NAME].encode(errors="replace").decode()


def write_bank(
    path: Path, synth: Synth, names: Iterable[str], values: Float[np.ndarray, "presets parameters"]
) -> Float[np.ndarray, "presets parameters"]:
    """Write presets as a bank in the format of amsynth, which loads its own; `read_bank` reads those of any synthesizer.

    Args:
        path: Of the bank.
        synth: The synthesizer.
        names: Of the presets; line breaks in them become spaces.
        values: All parameters in the table's order, in [0, 1].

    Returns:
        What the bank says, and not what was meant to be written: values whose sound is that of the bank to the bit.
    """
    lines = [synth.name]
    for name, row in zip(names, values.tolist(), strict=True):
        lines.append(f"{PRESET} {' '.join(name.split())}")
        for parameter, value in zip(synth.parameters, row, strict=True):
            lines.append(f"{PARAMETER} {parameter.name} {parameter.low + value * (parameter.high - parameter.low):.9g}")
    write_text(path, "\n".join([*lines, "EOF", ""]))
    said = [preset.values for preset in read_bank(path, synth)]
    return np.array([[p.normalise(v[p.name]) for p in synth.parameters] for v in said], dtype=np.float32)


def identity(values: Iterable[float]) -> str:
    """Name a preset by its values: 16 hexadecimal digits of a hash of all of them rounded to 1e-5."""
    text = ",".join(f"{value:.5f}" for value in values)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def collect(
    synth: Synth, names: tuple[str, ...], limit: int | None = None, seed: int = 0
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Read all banks of a synthesizer into one table, or draw presets where there are none.

    Args:
        synth: The synthesizer.
        names: Parameters that the data set infers; all others are set to the base patch.
        limit: Keep this many presets, chosen by identity; None keeps all.
        seed: Of that choice, and of what is drawn.

    Returns:
        A table with the columns id, name, bank and one for each parameter (in [0, 1]), in the banks' order and without
        duplicates; and counts of what was read and left out.

    Raises:
        ValueError: If there are no banks, or one is malformed.
    """
    full, called, counts = _read(synth) if synth.banks else _drawn(synth, seed)
    projected = np.where(np.isin(synth.names, names), full, synth.base)
    table = pd.DataFrame(projected, columns=list(synth.names))
    table.insert(0, "id", [identity(row) for row in projected])
    table.insert(1, "name", [name for name, _ in called])
    table.insert(2, "bank", [bank for _, bank in called])
    counts["distinct_before_projection"] = len({identity(row) for row in full})
    counts["duplicates"] = int(table["id"].duplicated().sum())
    table = table.drop_duplicates("id", ignore_index=True)
    if limit is not None and limit < len(table):
        chosen = pd.Series(uniform_by_id(table["id"], seed, "limit")).nsmallest(limit).index
        table = table.loc[sorted(chosen)].reset_index(drop=True)
    counts["kept"] = len(table)
    return table, counts


def _read(synth: Synth) -> tuple[np.ndarray, list[tuple[str, str]], dict[str, int]]:
    """Full vectors of all presets in banks, their names and banks, and counts."""
    paths = sorted(Path(synth.banks).parent.glob(Path(synth.banks).name))
    if not paths:
        raise ValueError(f"no bank matches {synth.banks}; {synth.install}")
    if Path(synth.banks).suffix in vst_presets.FORMATS:
        programs = [(name, path.name, values) for path in paths for name, values in vst_presets.read(path, synth)]
        counts = {"banks": len(paths), "read": len(programs)}
        return np.array([row for *_, row in programs]), [(name, bank) for name, bank, _ in programs], counts
    read_one = read_bank_table if Path(synth.banks).suffix == ".csv" else read_bank
    presets = [preset for path in paths for preset in read_one(path, synth)]
    if not presets:
        raise ValueError(f"there is no preset in the {len(paths)} banks that match {synth.banks}")
    given = [p.values for p in presets]
    full = np.array([[p.normalise(v.get(p.name, p.default)) for p in synth.parameters] for v in given])
    counts = {
        "banks": len(paths),
        "read": len(presets),
        "values_missing": sum(len(synth.parameters) - len(v) for v in given),
        "values_clamped": sum(not p.low <= v.get(p.name, p.default) <= p.high for v in given for p in synth.parameters),
    }
    return full, [(p.name, p.bank) for p in presets], counts


def _drawn(synth: Synth, seed: int) -> tuple[np.ndarray, list[tuple[str, str]], dict[str, int]]:
    """The same of presets that are drawn."""
    full = prior.draw(synth, synth.presets, derive_seed(seed, "presets", synth.name)).to_numpy()
    return full, [(f"drawn {number}", "drawn") for number in range(1, len(full) + 1)], {"drawn": len(full)}


def read_table(path: Path, synth: Synth) -> pd.DataFrame:
    """Read a table of presets and check it against the synthesizer.

    Raises:
        ValueError: If a column is missing, a value is outside [0, 1] or a preset stands twice.
    """
    table = pd.read_csv(path, dtype={"id": str, "name": str, "bank": str}, keep_default_na=False)
    expected = [*COLUMNS, *synth.names]
    if list(table.columns) != expected:
        raise ValueError(f"columns of presets: got {list(table.columns)}, expected {expected} ({path})")
    values = table[list(synth.names)].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    rows, columns = np.nonzero(~((values >= 0) & (values <= 1)))
    if len(rows):
        row, name = rows[0], synth.names[columns[0]]
        raise ValueError(f"preset {table['id'][row]}: {name} = {table[name][row]}, expected 0..1 ({path})")
    if table["id"].duplicated().any():
        raise ValueError(f"preset {table['id'][table['id'].duplicated()].iloc[0]} stands twice ({path})")
    return table
