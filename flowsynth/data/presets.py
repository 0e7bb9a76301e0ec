"""Human-designed presets: parse bank files into a table of normalised values.

Bank files have one of these formats:

* VST presets and banks (`flowsynth.data.vst_presets`).
* Voices of a DX7 (`flowsynth.data.dx7`).
* Text: a first line with the name of the synthesizer, then for each preset a line ``<preset> <name> NAME`` and a line
  ``<parameter> NAME VALUE`` per parameter, and finally ``EOF``. Missing parameters take their defaults.
* CSV: the columns ``name``, ``bank`` (the original bank of a preset), and one per parameter, in the units of the
  synthesizer. Missing parameters take their defaults; columns that begin with ``tag:`` are ignored.
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
from flowsynth.core.readers import read_csv
from flowsynth.core.seeding import derive_seed, uniform_by_id
from flowsynth.core.untrusted import check_table
from flowsynth.data import dx7, vst_presets
from flowsynth.synths.spec import Synth

PRESET = "<preset> <name>"
PARAMETER = "<parameter>"
LABEL_COLUMNS = ("id", "name", "bank")
TAG_PREFIX = "tag:"
LISTED_ERRORS = 20  # lines of a bank in a message
LONGEST_NAME = 60  # characters


@dataclass
class Preset:
    """A preset as stored in its bank: values by parameter name, in the bank's units."""

    name: str
    bank: str
    values: dict[str, float] = field(default_factory=dict)


def read_bank(path: Path, synth: Synth) -> list[Preset]:
    """Parse a bank in text format.

    Raises:
        ValueError: If any line is malformed; the message lists the first such lines and the number of affected presets.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    presets: list[Preset] = []
    errors: list[str] = []
    affected: set[int] = set()
    if not lines or lines[0].strip().lower() != synth.name:
        raise ValueError(f"{path}:1: got {lines[:1]!s:.80}, expected a bank that starts with {synth.name!r}")
    for number, line in enumerate(lines[1:], start=2):
        error = _read_line(line.strip(), presets, path, synth)
        if error:
            errors.append(f"{path}:{number}: {error}")
            affected.add(len(presets))
    while lines[-1].strip() == "":
        lines.pop()
    if lines[-1].strip() != "EOF":
        errors.append(f"{path}:{len(lines)}: the bank ends without EOF, it may be truncated")
        affected.add(len(presets))
    if errors:
        affected.discard(0)  # lines before the first preset
        more = [f"and {len(errors) - LISTED_ERRORS} more lines"] if len(errors) > LISTED_ERRORS else []
        count = f"{len(affected)} of {len(presets)} presets could not be parsed; fix or remove the bank"
        raise ValueError("\n".join([*errors[:LISTED_ERRORS], *more, count]))
    return presets


def _read_line(line: str, presets: list[Preset], path: Path, synth: Synth) -> str | None:
    """Add one line to the presets parsed so far; return an error message, or None."""
    if not line or line == "EOF":
        return None
    if line.startswith(PRESET):
        presets.append(Preset(line[len(PRESET) :].strip(), path.name))
        return None
    kind, _, rest = line.partition(" ")
    fields = rest.rsplit(maxsplit=1)  # names may contain spaces
    if kind != PARAMETER or len(fields) != 2:
        return f"got {line!r:.80}, expected '{PRESET} NAME' or '{PARAMETER} NAME VALUE'"
    if not presets:
        return "a parameter before the first preset"
    name, text = fields
    if name not in synth.names:
        return f"unknown parameter {name!r}"
    if name in presets[-1].values:
        return f"duplicate parameter {name!r} in preset {presets[-1].name!r}"
    try:
        value = float(text)
    except ValueError:
        return f"{name} = {text!r}, expected a number"
    if not math.isfinite(value):
        return f"{name} = {text}, expected a finite number"
    presets[-1].values[name] = value
    return None


def read_bank_table(path: Path, synth: Synth) -> list[Preset]:
    """Read a bank in CSV format.

    Raises:
        ValueError: If a column is missing or unknown, or a value is not a finite number; the message names it.
    """
    check_table(path)
    table = read_csv(path, dtype={"name": str, "bank": str}, keep_default_na=False)
    names = [
        column for column in table.columns if column not in LABEL_COLUMNS[1:] and not column.startswith(TAG_PREFIX)
    ]
    unknown, missing = sorted(set(names) - set(synth.names)), sorted(set(LABEL_COLUMNS[1:]) - set(table.columns))
    if unknown or missing:
        raise ValueError(f"{path}: unknown columns {unknown}, missing columns {missing} ({synth.name})")
    values = table[names].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    rows, columns = np.nonzero(~np.isfinite(values))
    if len(rows):
        row, name = rows[0], names[columns[0]]
        raise ValueError(f"{path}: preset {table['name'][row]}: {name} = {table[name][row]!r}, expected a number")
    heads = zip(table["name"], table["bank"], values.tolist(), strict=True)
    return [Preset(name, bank, dict(zip(names, row, strict=True))) for name, bank, row in heads]


def safe_name(name: str) -> str:
    """Make a name valid for presets and files: truncate it, and replace invalid characters by ``?``."""
    return name[:LONGEST_NAME].encode(errors="replace").decode()


def bank_suffix(synth: Synth) -> str:
    """Return the suffix of the banks that `write_bank` writes for a synthesizer."""
    return ".syx" if synth.package else ".bank"


def write_bank(
    path: Path, synth: Synth, names: Iterable[str], values: Float[np.ndarray, "presets parameters"]
) -> Float[np.ndarray, "presets parameters"]:
    """Write presets to a bank: of Dexed, messages that it and a DX7 load; else text, which amsynth can load.

    `collect` reads both.

    Args:
        path: Output file, with the suffix `bank_suffix`.
        synth: The synthesizer.
        names: Names of the presets; line breaks become spaces.
        values: All parameters in the order of the parameter table, in [0, 1].

    Returns:
        Values read back from the bank, rounded as in the file: they render to the sound of the bank bit by bit.
    """
    if path.suffix in dx7.FORMATS:
        return dx7.write(path, synth, names, values)
    lines = [synth.name]
    for name, row in zip(names, values.tolist(), strict=True):
        lines.append(f"{PRESET} {' '.join(name.split())}")
        for parameter, value in zip(synth.parameters, row, strict=True):
            lines.append(f"{PARAMETER} {parameter.name} {parameter.low + value * (parameter.high - parameter.low):.9g}")
    write_text(path, "\n".join([*lines, "EOF", ""]))
    written = [preset.values for preset in read_bank(path, synth)]
    return np.array([[p.normalise(v[p.name]) for p in synth.parameters] for v in written], dtype=np.float32)


def identity(values: Iterable[float]) -> str:
    """Hash the values of a preset, rounded to 1e-5, to 16 hexadecimal digits."""
    text = ",".join(f"{value:.5f}" for value in values)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def collect(
    synth: Synth, names: tuple[str, ...], limit: int | None = None, seed: int = 0
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Read all banks of a synthesizer into one table, or draw presets from its prior if it has no banks.

    Args:
        synth: The synthesizer.
        names: Parameters that the data set infers; all others are set to the base patch.
        limit: Maximum number of presets, chosen by identity; None keeps all.
        seed: Seed of that choice and of the draw from the prior.

    Returns:
        Table with the columns id, name, bank and one per parameter (in [0, 1]), in bank order and without duplicates;
        and counts of presets read, dropped and kept.

    Raises:
        ValueError: If no bank is found, or one is malformed.
    """
    full, labels, counts = _read(synth) if synth.banks else _draw(synth, seed)
    projected = np.where(np.isin(synth.names, names), full, synth.base)
    table = pd.DataFrame(projected, columns=list(synth.names))
    table.insert(0, "id", [identity(row) for row in projected])
    table.insert(1, "name", [name for name, _ in labels])
    table.insert(2, "bank", [bank for _, bank in labels])
    counts["distinct_before_projection"] = len({identity(row) for row in full})
    counts["duplicates"] = int(table["id"].duplicated().sum())
    table = table.drop_duplicates("id", ignore_index=True)
    if limit is not None and limit < len(table):
        chosen = pd.Series(uniform_by_id(table["id"], seed, "limit")).nsmallest(limit).index
        table = table.loc[sorted(chosen)].reset_index(drop=True)
    counts["kept"] = len(table)
    return table, counts


def _read_file(path: Path, synth: Synth) -> list[Preset]:
    """Read a bank in the format of its suffix."""
    if path.suffix in dx7.FORMATS:
        return [Preset(name, path.name, values) for name, values in dx7.read(path, synth)]
    return read_bank_table(path, synth) if path.suffix == ".csv" else read_bank(path, synth)


def _read(synth: Synth) -> tuple[np.ndarray, list[tuple[str, str]], dict[str, int]]:
    """Read all banks: values of all parameters, pairs of name and bank, and counts."""
    for pattern in synth.banks:
        if not synth.with_banks(pattern).bank_files():
            raise ValueError(f"no bank matches {pattern}; {synth.install_banks or synth.install}")
    paths = synth.bank_files()
    if paths[0].suffix in vst_presets.FORMATS:
        programs = [(name, path.name, values) for path in paths for name, values in vst_presets.read(path, synth)]
        if not programs:
            raise ValueError(f"no preset in the {len(paths)} banks that match {' or '.join(synth.banks)}")
        counts = {"banks": len(paths), "read": len(programs)}
        return np.array([row for *_, row in programs]), [(name, bank) for name, bank, _ in programs], counts
    presets = [preset for path in paths for preset in _read_file(path, synth)]
    if not presets:
        raise ValueError(f"no preset in the {len(paths)} banks that match {' or '.join(synth.banks)}")
    values = [p.values for p in presets]
    full = np.array([[p.normalise(v.get(p.name, p.default)) for p in synth.parameters] for v in values])
    counts = {
        "banks": len(paths),
        "read": len(presets),
        "values_missing": sum(len(synth.parameters) - len(v) for v in values),
        "values_clamped": sum(
            not p.low <= v.get(p.name, p.default) <= p.high for v in values for p in synth.parameters
        ),
    }
    return full, [(p.name, p.bank) for p in presets], counts


def _draw(synth: Synth, seed: int) -> tuple[np.ndarray, list[tuple[str, str]], dict[str, int]]:
    """Draw presets from the prior, with results as those of `_read`."""
    full = draw_presets(synth, synth.presets, derive_seed(seed, "presets", synth.name)).to_numpy()
    return full, [(f"drawn {number}", "drawn") for number in range(1, len(full) + 1)], {"drawn": len(full)}


def draw_presets(synth: Synth, count: int, seed: int) -> pd.DataFrame:
    """Draw presets from the prior in the synthesizer's parameter table, for one without human-designed presets.

    Each parameter keeps its default in most presets; otherwise it is drawn uniformly from a part of its range. Presets
    are thus mostly audible and at the pitch of the note, and use parameters about as rarely as human-designed ones do.

    Args:
        synth: The synthesizer.
        count: Number of presets.
        seed: Seed of the random generator.

    Returns:
        One row per preset, one column per parameter, in [0, 1]; stepped parameters lie on their steps.
    """
    rng = np.random.default_rng(seed)
    columns = {}
    for parameter in synth.parameters:
        share, low, high = parameter.draw
        # draw both in any case, so that the share and range of one parameter do not affect the others
        changed, values = rng.random(count) < share, rng.random(count)
        first, last = parameter.normalise(low), parameter.normalise(high)
        if parameter.steps:
            top = parameter.steps - 1
            lowest, highest = round(first * top), round(last * top)
            values = (lowest + np.floor(values * (highest - lowest + 1))) / top
        else:
            values = first + values * (last - first)
        columns[parameter.name] = np.where(changed, values, parameter.normalise(parameter.default))
    return pd.DataFrame(columns)


def read_table(path: Path, synth: Synth) -> pd.DataFrame:
    """Read a table of presets and validate it against the synthesizer.

    Raises:
        ValueError: If a column is missing, a value is outside [0, 1] or an id is duplicated.
    """
    check_table(path)
    table = read_csv(path, dtype={"id": str, "name": str, "bank": str}, keep_default_na=False)
    expected = [*LABEL_COLUMNS, *synth.names]
    if list(table.columns) != expected:
        raise ValueError(f"columns of presets: got {list(table.columns)}, expected {expected} ({path})")
    values = table[list(synth.names)].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    rows, columns = np.nonzero(~((values >= 0) & (values <= 1)))
    if len(rows):
        row, name = rows[0], synth.names[columns[0]]
        raise ValueError(f"preset {table['id'][row]}: {name} = {table[name][row]}, expected 0..1 ({path})")
    if table["id"].duplicated().any():
        raise ValueError(f"duplicate preset {table['id'][table['id'].duplicated()].iloc[0]} ({path})")
    return table
