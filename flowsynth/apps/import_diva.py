"""Import the published data of u-he Diva (`flowsynth.data.diva`), to run the benchmark with your own copy of Diva:

    python -m flowsynth.apps.import_diva diva_raw.zip \\
        --split reference_split_64par_mel.th --plugin ~/.u-he/Diva/Diva.64.so

This writes the parameter table ``diva.yaml`` to ``flowsynth/synths/specs``, and next to it the presets ``diva.csv``:
their partitions in the published split, the designers' tags, and the parameters that vary. They define the data sets
``diva16``, ``diva32`` and ``diva64``. Without ``--plugin``, these can be inspected but not rendered.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from flowsynth.apps.inspect_plugin import NOTE, TIMEOUT, format_parameter, read_parameters
from flowsynth.core.mel_filters import log_mel_distance
from flowsynth.core.progress import log, log_to_terminal
from flowsynth.core.provenance import write_csv, write_text
from flowsynth.data import diva
from flowsynth.data.features import DEFAULTS
from flowsynth.data.presets import TAG_PREFIX
from flowsynth.data.splits import PARTS
from flowsynth.inference.search_task import log_mel_extractor
from flowsynth.rendering.plugin_process import run_in_subprocess
from flowsynth.rendering.render import render
from flowsynth.synths.spec import FOLDER, Parameter, Synth, read

NO_PLUGIN = "no-plugin-was-given"
DIGITS = 7  # decimals of values; the identity of a preset uses five
INSTALL = "get Diva from u-he, and import the published data with --plugin PATH (docs/tutorials/diva.md)"


def base_patch(corpus: diva.Corpus, path: Path | None) -> dict[str, float]:
    """Compute the base patch of the presets: the median of each parameter.

    Args:
        corpus: The presets.
        path: JSON file with values by parameter name that replace the medians, if any.

    Raises:
        ValueError: If the file has unknown parameters, or a value outside 0..1.
    """
    base = dict(zip(corpus.names, np.median(corpus.values, axis=0).round(DIGITS).tolist(), strict=True))
    if path is None:
        return base
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    unknown = sorted(set(values) - set(base)) if isinstance(values, dict) else [type(values).__name__]
    if unknown:
        raise ValueError(f"{path}: expected values by parameter name, got {unknown}")
    for name, value in values.items():
        if not (isinstance(value, int | float) and 0 <= value <= 1):
            raise ValueError(f"{path}: {name} = {value!r}, expected 0..1")
    return base | values


def parameters(corpus: diva.Corpus, base: dict[str, float], plugin: Path | None) -> tuple[Parameter, ...]:
    """List the parameters in the plugin's order, up to the last published one; without a plugin, sorted by name.

    Raises:
        ValueError: If the plugin lacks a published parameter.
    """
    if plugin is None:
        return tuple(Parameter(name, "continuous", 0.0, 1.0, base[name], "", None) for name in corpus.names)
    synth = Synth("diva", plugin, INSTALL, (), 1, (), {}, users_home=True)
    available = run_in_subprocess(synth, read_parameters, synth)
    names = [parameter.name for parameter in available]
    missing = sorted(set(corpus.names) - set(names))
    if missing:
        raise ValueError(
            f"{plugin} lacks {len(missing)} of the published parameters, such as {', '.join(missing[:5])}; it has "
            f"{', '.join(names[:5])}. Expected Diva as a VST2 plugin, with parameters named MODULE: Name"
        )
    last = max(names.index(name) for name in corpus.names)
    # parameters that only a newer Diva has keep their initial values
    based = [replace(p, default=base[p.name], start=p.default) if p.name in base else p for p in available[: last + 1]]
    return tuple(replace(p, kind="continuous", steps=None) if p.name in diva.SETS[128] else p for p in based)


def preset_table(corpus: diva.Corpus, parts: dict[str, str] | None) -> pd.DataFrame:
    """Build the table of presets: name, bank (the partition), a tag for each word pair, and the parameters that vary.

    Args:
        corpus: The presets.
        parts: Partition in the published split by preset name; presets that are not in the split are left out.

    Raises:
        ValueError: If a partition has no presets.
    """
    banks = ["diva" if parts is None else parts.get(name) for name in corpus.presets]
    table = pd.DataFrame({"name": corpus.presets, "bank": banks})
    tags = pd.DataFrame(corpus.tags, columns=[f"{TAG_PREFIX}{pair}" for pair in diva.TAG_PAIRS])
    values = pd.DataFrame(corpus.values.round(DIGITS), columns=list(corpus.names))
    table = pd.concat([table, tags, values[sorted(corpus.varying)]], axis=1)
    if parts is None:
        return table
    unknown, missing = table["bank"].isna(), len(set(parts) - set(corpus.presets))
    for name in table["name"][unknown]:
        log.warning("%s is left out: it is not in the published split", name)
    if missing:
        log.warning("%d of the %d presets of the published split are not in the data", missing, len(parts))
    table = table[~unknown].reset_index(drop=True)
    if set(table["bank"]) != set(PARTS):
        raise ValueError(f"the data have the parts {sorted(set(table['bank']))} of the split, expected {PARTS}")
    log.info("published split: %s", ", ".join(f"{part} {(table['bank'] == part).sum():,}" for part in PARTS))
    return table


def usable_sets(corpus: diva.Corpus) -> dict[int, list[str]]:
    """Select the published parameter sets whose parameters all vary.

    Raises:
        ValueError: If there is none.
    """
    varying, usable = corpus.varying, {}
    for size, names in diva.SETS.items():
        if names <= varying:
            usable[size] = sorted(names)
        else:
            log.info("no set of %d: %d of its parameters are equal in all presets", size, len(names - varying))
    if not usable:
        raise ValueError(f"no published parameter set varies in these presets; parameters that vary: {sorted(varying)}")
    others = sorted(varying - diva.SETS[max(usable)])
    if others:
        log.warning("parameters that vary but are in no set stay at the base patch: %s", ", ".join(others))
    return usable


def format_parameter_table(
    parameters: Sequence[Parameter],
    sets: dict[int, list[str]],
    plugin: Path | None,
    parts: bool,
    banks: str,
    comment: str,
) -> str:
    """Format the parameter table as YAML.

    Args:
        parameters: The parameters.
        sets: Parameter names of each set, by size.
        plugin: Path of the plugin, if any.
        parts: Whether the banks are the partitions of the published split.
        banks: File name of the presets, next to the table.
        comment: Text of the comment at the top.
    """
    header = {"name": "diva", "plugin": str(plugin or NO_PLUGIN), "install": INSTALL, "banks": banks, "parts": parts}
    lines = [
        *(f"# {text}" for text in comment.splitlines()),
        *yaml.safe_dump(header | {"users_home": True}, sort_keys=False, width=200).splitlines(),
        "", "parameters:",
    ]  # fmt: skip
    for p in parameters:
        entry: dict[str, Any] = {"kind": p.kind, "range": [0, 1]} | ({"steps": p.steps} if p.steps else {})
        entry |= {"default": p.default, "unit": p.unit} | ({"text": list(p.text)} if p.text else {})
        lines.append(format_parameter(p.name, entry | ({} if p.start is None else {"start": p.start})))
    lines += ["", "# The published sets: 16 is not a subset of 32.", "sets:"]
    lines += [f"  {size}: {json.dumps(names)}" for size, names in sets.items()]
    return "\n".join([*lines, ""])


def compare(corpus: diva.Corpus, synth: Synth) -> str:
    """Render some presets and summarise their distances from the published sounds.

    The published sounds were rendered at 44.1 kHz by another host, and Diva's oscillators start at random phases, so
    the two never agree exactly; a preset should be much closer to its own sound than to that of another preset.
    """
    rows = [corpus.presets.index(name) for name in corpus.sounds]
    columns = [synth.names.index(name) for name in corpus.names]
    vectors = np.tile(synth.base, (len(rows), 1))
    vectors[:, columns] = corpus.values[rows]
    extract = log_mel_extractor(NOTE.sample_rate, DEFAULTS)
    results = list(render(synth, NOTE, vectors, TIMEOUT))
    for result in results:
        if result.reason:
            log.warning("%s: a preset %s: %s", synth.plugin, result.status, result.reason)
    rendered = [extract(result.audio) for result in results]
    published = [extract(sound[: NOTE.samples]) for sound in corpus.sounds.values()]
    own, other = (
        float(np.median([log_mel_distance(a, b) for a, b in zip(rendered, targets, strict=True)]))
        for targets in (published, published[1:] + published[:1])
    )
    summary = (
        f"{len(rows)} presets rendered: median log-mel L1 {own:.2f} to their published sounds, {other:.2f} to others"
    )
    (log.info if own < other / 2 else log.warning)("%s", summary)
    return summary


def import_data(archive: Path, split: Path | None, plugin: Path | None, base: Path | None, out: Path) -> None:
    """Write the parameter table and the presets.

    Args:
        archive: ``diva_raw.zip``, or the folder it was unpacked to.
        split: File of the published split, if any.
        plugin: Path of Diva, if any.
        base: File of values of the base patch, if any.
        out: Output file of the table; the presets are written next to it.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is invalid; nothing is written in this case.
    """
    if plugin and not plugin.exists():
        raise FileNotFoundError(f"plugin {plugin} does not exist")
    parts = None if split is None else diva.read_split(split)
    corpus = diva.read(archive)
    sets, presets = usable_sets(corpus), preset_table(corpus, parts)
    table = parameters(corpus, base_patch(corpus, base), plugin)
    synth = Synth("diva", plugin or Path(NO_PLUGIN), INSTALL, (), 1, table, {}, users_home=True)
    remark = compare(corpus, synth) if plugin else "Imported without a plugin: all parameters are listed as continuous."
    path = out.with_suffix(".csv")
    write_csv(presets, path, archive=archive.name, split=split and split.name, left_out=corpus.left_out)
    # the workflow watches the table: with the checksum in it, other presets trigger a new run
    comment = f"Written by flowsynth.apps.import_diva. {len(presets)} presets in {path.name}, sha256\n{_sha256(path)}."
    comment = f"{comment}\n{remark}"
    write_text(out, format_parameter_table(table, sets, plugin, parts is not None, path.name, comment))
    read(out)
    counts = len(presets), len(corpus.left_out), len(corpus.varying)
    log.info("%d presets, %d files left out, %d parameters vary", *counts)
    log.info("wrote %s and %s. Data sets: %s", out, path, ", ".join(f"diva{size}" for size in sets))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m flowsynth.apps.import_diva", description="Import the published data of u-he Diva."
    )
    parser.add_argument("archive", type=Path, help="diva_raw.zip, or the folder it was unpacked to")
    parser.add_argument("--split", type=Path, help="the published split, reference_split_64par_mel.th")
    parser.add_argument("--plugin", type=Path, help="path of Diva, a VST2 plugin; required for rendering")
    parser.add_argument("--base", type=Path, help="values of the base patch, param_default_32.json; default: medians")
    parser.add_argument("--out", type=Path, default=FOLDER / "diva.yaml", help="output parameter table")
    options = parser.parse_args(arguments)
    log_to_terminal()
    try:
        plugin = options.plugin and options.plugin.expanduser().absolute()
        import_data(options.archive, options.split, plugin, options.base, options.out)
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
