"""Write a data set into one folder: presets, splits, sounds and features, with checksums and a description.

`flowsynth.data.datasets` reads the folder. Files of the run are hard links where the file system has them, else copies: the
folder has regular files only, so ``tar`` archives their content with and without ``-h``, and it keeps its content wherever
it is moved and whatever becomes of the run.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from flowsynth.core import debian, hdf5, integrity
from flowsynth.core.provenance import write_csv, write_text
from flowsynth.core.readers import read_csv, read_json
from flowsynth.data.croissant import describe
from flowsynth.data.data_card import Facts, Origin, write_card
from flowsynth.data.datasets import CHECKSUMS, DESCRIPTION
from flowsynth.data.out_of_domain import debian_licences
from flowsynth.rendering.host import Note, fingerprint
from flowsynth.synths.spec import Synth, dataset

LEAKS = "_leaks"


def write(name: str, run: Path, files: Sequence[Path], banks: Sequence[Path], folder: Path) -> None:
    """Write a data set.

    Args:
        name: Name of the data set, such as ``amsynth16``.
        run: Folder of the run.
        files: Files of the run: presets, splits and their leaks, audio, features. The provenance of tables lies beside
            them.
        banks: Banks of the presets; empty if these are drawn.
        folder: Output folder. Other files in its folders ``audio``, ``features`` and ``split`` are deleted.
    """
    for kind in ("audio", "features", "split"):
        shutil.rmtree(folder / kind, ignore_errors=True)
    written = [_place(source, run, folder) for path in files for source in (path, *_provenance(path))]
    synth, inferred = dataset(name)
    facts = _facts(name, synth, inferred, folder, banks)
    for table in ("items", "parameters"):
        path = folder / f"{table}.csv"
        write_csv(getattr(facts, table), path)
        written += [path, *_provenance(path)]
    copyright_file = debian_licences.DOC / facts.origin.package.split(" ")[0] / "copyright"
    if facts.origin.package and copyright_file.exists():
        written.append(folder / "COPYRIGHT")
        shutil.copyfile(copyright_file, written[-1])
    written.append(folder / "README.md")
    write_text(written[-1], write_card(facts))
    checksums = {path.relative_to(folder).as_posix(): integrity.sha256(path) for path in sorted(written)}
    write_text(folder / DESCRIPTION, json.dumps(describe(facts, folder, checksums), indent=1) + "\n")
    checksums[DESCRIPTION] = integrity.sha256(folder / DESCRIPTION)
    write_text(folder / CHECKSUMS, "".join(f"{checksum}  {name}\n" for name, checksum in checksums.items()))


def _place(source: Path, run: Path, folder: Path) -> Path:
    """Link or copy a file of the run to the same place in the folder."""
    target = folder / source.relative_to(run)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # no hard links here
        shutil.copy2(source, target)
    return target


def _provenance(path: Path) -> list[Path]:
    """Return the file with the provenance of a table; an HDF5 file has it inside."""
    return [path.with_name(f"{path.name}.json")] if path.suffix == ".csv" else []


def _facts(name: str, synth: Synth, inferred: tuple[str, ...], folder: Path, banks: Sequence[Path]) -> Facts:
    """Collect what is known of the data set in a folder."""
    splits = {path.stem: read_csv(path, dtype={"id": str}) for path in sorted((folder / "split").glob("*.csv"))}
    with hdf5.reading(min((folder / "features").glob("*.h5"))) as file:
        maker = hdf5.settings(file)
    return Facts(
        name=name,
        synth=synth,
        origin=_origin(synth, maker, banks),
        counts=read_json(folder / "presets.csv.json", ["counts"])["counts"],
        items=pd.concat(_items(folder), ignore_index=True),
        parameters=_parameters(synth, inferred),
        splits=pd.concat([table.assign(split=split) for split, table in splits.items() if not split.endswith(LEAKS)]),
        leaks=pd.concat([table for split, table in splits.items() if split.endswith(LEAKS)]),
        maker=maker,
    )


def _items(folder: Path) -> Iterator[pd.DataFrame]:
    """Yield shard, row and status of the presets in each audio file."""
    for path in sorted((folder / "audio").glob("*.h5"), key=lambda path: int(path.stem)):
        with hdf5.reading(path) as file:
            ids, status = hdf5.ids(file), file["status"].asstr()[:]
        yield pd.DataFrame({"id": ids, "shard": int(path.stem), "row": range(len(ids)), "status": status})


def _parameters(synth: Synth, inferred: tuple[str, ...]) -> pd.DataFrame:
    """List the parameters, in the units of preset files."""
    rows = [(p.name, p.name in inferred, p.kind, p.steps, p.low, p.high, p.default, p.unit) for p in synth.parameters]
    table = pd.DataFrame(rows, columns=["name", "inferred", "kind", "steps", "low", "high", "default", "unit"])
    return table.astype({"steps": "Int64"})


def _origin(synth: Synth, maker: Mapping[str, Any], banks: Sequence[Path]) -> Origin:
    """Find the packages and licences of the presets and the plugin."""
    packages = {bank: debian.package_of(bank) for bank in banks}
    named = set(packages.values()) - {""}
    package = named.pop() if len(named) == 1 else ""
    inside = [bank for bank in banks if package and packages[bank] == package]
    licences = {debian_licences.licence(package, bank.name) for bank in inside}
    licences |= {"not stated"} if len(inside) < len(banks) else set()
    return Origin(
        package=debian.package_version(inside[0]) if package else "",
        outside=len(banks) - len(inside),
        licence=", ".join(sorted(licences)) if banks else "MIT",
        banks={bank.name: hashlib.sha256(bank.read_bytes()).hexdigest() for bank in banks},
        plugin=_plugin(synth, maker),
    )


def _plugin(synth: Synth, maker: Mapping[str, Any]) -> str:
    """Name the plugin, and the package that has it if the installed one is that which was rendered with."""
    if synth.package:
        return f"the Python package `{synth.package}`"
    package = debian.package_version(synth.plugin)
    note = Note(**{field: maker[field] for field in Note.__dataclass_fields__})
    if not package or fingerprint(synth, note)["plugin_sha256"] != maker["plugin_sha256"]:
        return f"`{synth.plugin.name}`"
    return f"`{synth.plugin.name}` of the Debian package {package}"
