"""Import the published data of u-he Diva (`flowsynth.data.diva`), to run the benchmark on it with a Diva of your own:

    python -m flowsynth.apps.import_diva diva_raw.zip --split reference_split_64par_mel.th --plugin ~/.u-he/Diva/Diva.64.so

This writes the parameter table ``diva.yaml`` into this folder, and beside it ``diva.csv``, the presets: their parts in the
published split, what designers said of them, and the parameters that vary. With them there are the data sets ``diva16``,
``diva32`` and ``diva64``. Without ``--plugin`` they can be looked at, and not rendered.
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
from flowsynth.core.progress import log, to_terminal
from flowsynth.core.provenance import write_csv, write_text
from flowsynth.data import diva
from flowsynth.data.features import DEFAULTS
from flowsynth.data.presets import TAG
from flowsynth.data.splits import PARTS
from flowsynth.inference.cma_es import ear
from flowsynth.rendering.host import apart
from flowsynth.rendering.render import render
from flowsynth.synths.spec import FOLDER, Parameter, Synth, read

NONE = "no-plugin-was-given"
DIGITS = 7  # of values: presets are the same if they are to five
INSTALL = "get Diva from u-he, and import the published data with --plugin PATH (docs/diva.md)"


def base_patch(corpus: diva.Corpus, given: Path | None) -> dict[str, float]:
    """Make the patch that presets are put on: what all have in common, and the median of what varies.

    Args:
        corpus: The presets.
        given: A file of JSON with values by name that come in the place of these.

    Raises:
        ValueError: If it has other parameters, or a value outside of 0..1.
    """
    base = dict(zip(corpus.names, np.median(corpus.values, axis=0).round(DIGITS).tolist(), strict=True))
    if given is None:
        return base
    try:
        values = json.loads(given.read_text())
    except ValueError as error:
        raise ValueError(f"{given} is no JSON: {error}") from error
    unknown = sorted(set(values) - set(base)) if isinstance(values, dict) else [type(values).__name__]
    if unknown:
        raise ValueError(f"{given}: expected values by name of a parameter, got {unknown}")
    for name, value in values.items():
        if not (isinstance(value, int | float) and 0 <= value <= 1):
            raise ValueError(f"{given}: {name} = {value!r}, expected 0..1")
    return base | values


def parameters(corpus: diva.Corpus, base: dict[str, float], plugin: Path | None) -> tuple[Parameter, ...]:
    """List the parameters as the plugin has them, up to the last published one; by name, without a plugin.

    Raises:
        ValueError: If the plugin lacks any of the data.
    """
    if plugin is None:
        return tuple(Parameter(name, "continuous", 0.0, 1.0, base[name], "", None) for name in corpus.names)
    found = apart(read_parameters, Synth("diva", plugin, INSTALL, "", 1, (), {}, users_home=True))
    names = [parameter.name for parameter in found]
    missing = sorted(set(corpus.names) - set(names))
    if missing:
        raise ValueError(
            f"{plugin} lacks {len(missing)} of the published parameters, {', '.join(missing[:5])} for one; it has "
            f"{', '.join(names[:5])}. Expected is Diva as a VST2 plugin, which calls them MODULE: Name"
        )
    last = max(names.index(name) for name in corpus.names)
    # what a newer Diva has besides stays as it starts
    held = [replace(p, default=base[p.name], start=p.default) if p.name in base else p for p in found[: last + 1]]
    return tuple(replace(p, kind="continuous", steps=None) if p.name in diva.SETS[128] else p for p in held)


def bank(corpus: diva.Corpus, parts: dict[str, str] | None) -> pd.DataFrame:
    """Make a table of the presets: name, bank (the part), a tag for each pair of words, and the parameters that vary.

    Args:
        corpus: The presets.
        parts: Of the published split, by preset; presets that it does not name are left out.
    """
    banks = ["diva" if parts is None else parts.get(name) for name in corpus.presets]
    table = pd.DataFrame({"name": corpus.presets, "bank": banks})
    tags = pd.DataFrame(corpus.tags, columns=[f"{TAG}{pair}" for pair in diva.PAIRS])
    values = pd.DataFrame(corpus.values.round(DIGITS), columns=list(corpus.names))
    table = pd.concat([table, tags, values[sorted(corpus.varying)]], axis=1)
    if parts is None:
        return table
    unknown, absent = table["bank"].isna(), len(set(parts) - set(corpus.presets))
    for name in table["name"][unknown]:
        log.warning("%s is left out: the published split does not name it", name)
    if absent:
        log.warning("%d of the %d presets of the published split are not in the data", absent, len(parts))
    table = table[~unknown].reset_index(drop=True)
    if set(table["bank"]) != set(PARTS):
        raise ValueError(f"of the published split the data have {sorted(set(table['bank']))}, expected {PARTS}")
    log.info("published split: %s", ", ".join(f"{part} {(table['bank'] == part).sum():,}" for part in PARTS))
    return table


def sets(corpus: diva.Corpus) -> dict[int, list[str]]:
    """The published sets of parameters; one that holds a parameter which never varies is left out."""
    varying, found = corpus.varying, {}
    for size, names in diva.SETS.items():
        if names <= varying:
            found[size] = sorted(names)
        else:
            log.info("no set of %d: %d of them are the same in all presets", size, len(names - varying))
    if not found:
        raise ValueError(f"no published set of parameters varies in these presets; what does: {sorted(varying)}")
    others = sorted(varying - diva.SETS[max(found)])
    if others:
        log.warning("parameters that vary and are in no set stay at the base patch: %s", ", ".join(others))
    return found


def table(
    found: Sequence[Parameter], members: dict[int, list[str]], plugin: Path | None, parts: bool, banks: str, said: str
) -> str:
    """Write down the parameter table.

    Args:
        found: The parameters.
        members: Of each set.
        plugin: Path of the plugin, if there is one.
        parts: Whether the banks are the parts of the published split.
        banks: File of the presets, beside the table.
        said: What stands above it.
    """
    head = {"name": "diva", "plugin": str(plugin or NONE), "install": INSTALL, "banks": banks, "parts": parts}
    lines = [
        *(f"# {text}" for text in said.splitlines()),
        *yaml.safe_dump(head | {"users_home": True}, sort_keys=False, width=200).splitlines(),
        "", "parameters:",
    ]  # fmt: skip
    for p in found:
        entry: dict[str, Any] = {"kind": p.kind, "range": [0, 1]} | ({"steps": p.steps} if p.steps else {})
        entry |= {"default": p.default, "unit": p.unit} | ({"text": list(p.text)} if p.text else {})
        lines.append(format_parameter(p.name, entry | ({} if p.start is None else {"start": p.start})))
    lines += ["", "# The published sets: 16 is no subset of 32.", "sets:"]
    lines += [f"  {size}: {json.dumps(names)}" for size, names in members.items()]
    return "\n".join([*lines, ""])


def compare(corpus: diva.Corpus, synth: Synth) -> str:
    """Render some presets, and say how far they are from what was published.

    The published sounds were rendered at 44.1 kHz by another host, and Diva's oscillators start at phases of chance, so the
    two are never the same; a preset should be much closer to its own sound than to that of another preset.
    """
    rows = [corpus.presets.index(name) for name in corpus.sounds]
    columns = [synth.names.index(name) for name in corpus.names]
    vectors = np.tile(synth.base, (len(rows), 1))
    vectors[:, columns] = corpus.values[rows]
    hear = ear(NOTE.sample_rate, DEFAULTS)
    results = list(render(synth, NOTE, vectors, TIMEOUT))
    for result in results:
        if result.reason:
            log.warning("%s: a preset %s: %s", synth.plugin, result.status, result.reason)
    ours = [hear(result.audio) for result in results]
    theirs = [hear(sound[: NOTE.samples]) for sound in corpus.sounds.values()]
    own, other = (
        float(np.median([np.abs(a - b).mean() for a, b in zip(ours, sounds, strict=True)]))
        for sounds in (theirs, theirs[1:] + theirs[:1])
    )
    said = f"{len(rows)} presets rendered: median log-mel L1 {own:.2f} from the published sound, {other:.2f} from another's"
    (log.info if own < other / 2 else log.warning)("%s", said)
    return said


def import_data(archive: Path, split: Path | None, plugin: Path | None, base: Path | None, out: Path) -> None:
    """Write table and presets.

    Args:
        archive: ``diva_raw.zip``, or the folder it was unpacked to.
        split: The published split.
        plugin: Diva.
        base: Values of the base patch.
        out: The table; the presets are put beside it.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If one is not as expected; nothing is written then.
    """
    if plugin and not plugin.exists():
        raise FileNotFoundError(f"there is no plugin {plugin}")
    parts = None if split is None else diva.read_split(split)
    corpus = diva.read(archive)
    members, presets = sets(corpus), bank(corpus, parts)
    found = parameters(corpus, base_patch(corpus, base), plugin)
    synth = Synth("diva", plugin or Path(NONE), INSTALL, "", 1, found, {}, users_home=True)
    heard = compare(corpus, synth) if plugin else "No plugin was given: all parameters are called continuous."
    path = out.with_suffix(".csv")
    write_csv(presets, path, archive=archive.name, split=split and split.name, left_out=corpus.left_out)
    # the sum stands in the table because the workflow watches that: other presets, other results
    said = f"Written by flowsynth.apps.import_diva. {len(presets)} presets in {path.name}, sha256\n{_sha256(path)}.\n{heard}"
    write_text(out, table(found, members, plugin, parts is not None, path.name, said))
    read(out)
    counts = len(presets), len(corpus.left_out), len(corpus.varying)
    log.info("%d presets, %d files left out, %d parameters vary", *counts)
    log.info("written: %s and %s. Data sets: %s", out, path, ", ".join(f"diva{size}" for size in members))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments: Sequence[str] | None = None) -> None:
    """Import what is asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m flowsynth.apps.import_diva", description="Import the published data of u-he Diva."
    )
    parser.add_argument("archive", type=Path, help="diva_raw.zip, or the folder it was unpacked to")
    parser.add_argument("--split", type=Path, help="the published split, reference_split_64par_mel.th")
    parser.add_argument("--plugin", type=Path, help="your Diva, a VST2 plugin; without it nothing can be rendered")
    parser.add_argument("--base", type=Path, help="values of the base patch, param_default_32.json; else medians")
    parser.add_argument("--out", type=Path, default=FOLDER / "diva.yaml", help="the table; in the folder of the others")
    asked = parser.parse_args(arguments)
    to_terminal()
    try:
        plugin = asked.plugin and asked.plugin.expanduser().absolute()
        import_data(asked.archive, asked.split, plugin, asked.base, asked.out)
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
