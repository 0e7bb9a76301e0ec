"""Write the parameter table of a plugin, after a look at what it says of itself and at what can be heard:

    python -m flowsynth.apps.inspect_plugin /usr/lib/vst/Nekobi-vst.so --name nekobi

With that file in this folder the whole pipeline runs on the plugin. Ranges are those of the host, 0 to 1, as a plugin does not
tell its own; presets are drawn, until banks are named instead. Read the table before it is used: what is drawn, and which
parameters are inferred, is a guess.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from jaxtyping import Float

from flowsynth.core.progress import log, log_to_terminal, track
from flowsynth.core.provenance import write_text
from flowsynth.data.features import DEFAULTS
from flowsynth.inference.search_task import log_mel_extractor
from flowsynth.rendering.host import Host, Note, open_plugin, run_in_subprocess
from flowsynth.rendering.render import render
from flowsynth.rendering.worker import SILENCE_PEAK
from flowsynth.synths.spec import FOLDER, Parameter, Synth

LOOKS = 129  # values at which a parameter's text is read
STEPS = 40  # a parameter with no more texts than this is stepped
HEARD = 0.02  # log-mel L1 from the base patch above which a parameter is heard
PROBES = (0.0, 0.5, 1.0)
BASES = 3  # patches of chance that parameters are probed on, beside the base patch
SHOWN = (0.0, 0.25, 0.75, 1.0)  # of which a table keeps the texts
NOTE = Note(22050, 512, 60, 100, 3.0, 4.0)
TIMEOUT = 20.0


def described(synth: Synth) -> tuple[Parameter, ...]:
    """Read what a plugin says of its parameters.

    Args:
        synth: Of the plugin; its own parameters are not looked at.

    Raises:
        ValueError: If it has no parameter, or two of one name.
    """
    with open_plugin(synth, NOTE) as plugin:
        return _described(plugin, str(synth.plugin))


def _described(plugin: Any, name: str) -> tuple[Parameter, ...]:
    entries = plugin.get_parameters_description()
    names = [entry["name"] for entry in entries]
    double = sorted({found for found in names if names.count(found) > 1})
    if double or not names:
        raise ValueError(
            f"{name}: " + (f"several parameters are called {', '.join(double)}" if double else "no parameters")
        )
    found = []
    for index, entry in enumerate(entries):
        start = plugin.get_parameter(index)
        texts = []
        for value in np.linspace(0, 1, LOOKS):
            plugin.set_parameter(index, float(value))
            texts.append(plugin.get_parameter_text(index))
        shown = []
        for value in SHOWN:
            plugin.set_parameter(index, value)
            shown.append(plugin.get_parameter_text(index))
        plugin.set_parameter(index, start)
        steps = 1 + sum(a != b for a, b in pairwise(texts))
        kind: Literal["stepped", "continuous"] = "stepped" if 1 < steps <= STEPS else "continuous"
        unit, count = entry["label"].strip(), steps if kind == "stepped" else None
        found.append(Parameter(entry["name"], kind, 0.0, 1.0, round(start, 6), unit, count, tuple(shown)))
    return tuple(found)


def probe(synth: Synth) -> tuple[Float[np.ndarray, "parameters probes"], Float[np.ndarray, "parameters probes"]]:
    """Play some patches with each parameter at each of `PROBES`: what is silent in one may be heard in another.

    Returns:
        The largest log-mel L1 from a patch, and the peak on the base patch. Where the plugin fails both are 0.

    Raises:
        ValueError: If it fails on the base patch.
    """
    patches = [synth.base, *np.random.default_rng(0).uniform(0.2, 0.8, (BASES, len(synth.base)))]
    far = np.zeros((len(patches), len(synth.names), len(PROBES)))
    peaks = np.zeros(far.shape[1:])
    places = [(patch, place) for patch in range(len(patches)) for place in (None, *np.ndindex(peaks.shape))]

    def vector(patch: int, place: tuple[int, ...] | None) -> np.ndarray:
        changed = patches[patch].copy()
        if place:
            changed[place[0]] = PROBES[place[1]]
        return changed

    hear = log_mel_extractor(NOTE.sample_rate, DEFAULTS)
    results = render(synth, NOTE, (vector(*place) for place in places), TIMEOUT)
    first: np.ndarray | None = None
    for (patch, place), result in zip(places, track(results, len(places), f"probe {synth.name}"), strict=True):
        failed = result.status == "failed"
        if place is None:
            if failed and patch == 0:
                raise ValueError(f"{synth.plugin} fails as soon as it plays its default: {result.reason}")
            first = None if failed else hear(result.audio)
            continue
        if failed:
            log.warning("%s = %g: %s", synth.names[place[0]], PROBES[place[1]], result.reason)
        elif first is not None:
            far[patch, *place] = np.abs(hear(result.audio) - first).mean()
        if patch == 0:
            peaks[place] = np.abs(result.audio).max()
    return far.max(axis=0), peaks


def reproducible(synth: Synth) -> dict[str, bool]:
    """Whether two presets sound the same to the bit in another order: of one instance, and each of a fresh one."""
    rng = np.random.default_rng(0)
    both = [synth.base, np.clip(synth.base + rng.uniform(-0.3, 0.3, len(synth.base)), 0, 1)]
    order = [0, 1, 0, 1, 1, 0]
    ways = {
        "one instance": run_in_subprocess(_in_turn, synth, [both[which].astype(np.float32) for which in order]),
        "a fresh instance each": [r.audio for r in render(synth, NOTE, [both[which] for which in order], TIMEOUT)],
    }
    return {
        way: all(np.array_equal(sounds[order.index(which)], sound) for which, sound in zip(order, sounds, strict=True))
        for way, sounds in ways.items()
    }


def _in_turn(synth: Synth, vectors: Sequence[np.ndarray]) -> list[np.ndarray]:
    host = Host(synth, NOTE)
    return [host.play(vector) for vector in vectors]


def table(synth: Synth, far: np.ndarray, peaks: np.ndarray, same: dict[str, bool], presets: int) -> str:
    """Write down a parameter table.

    Args:
        synth: With the parameters as `described`.
        far: As made by `probe`.
        peaks: As made by `probe`.
        same: As made by `reproducible`.
        presets: How many are to be drawn.
    """
    loudest = far.max(axis=1)
    ranked = [synth.names[column] for column in np.argsort(-loudest, kind="stable") if loudest[column] > HEARD]
    told = ", ".join(f"{way}: {'yes' if yes else 'no'}" for way, yes in same.items())
    lines = [
        "# Written by flowsynth.apps.inspect_plugin. Behind each parameter: how far it takes the sound, in log-mel L1,",
        "# at 0, 0.5 and 1; the most of some patches.",
        f"# The same bits in any order, by {told}. Presets are played by a fresh instance each.",
        "# draw: the share of presets in which a parameter is not at its default, and the range that it is drawn from there.",
        *yaml.safe_dump({"name": synth.name, "plugin": str(synth.plugin), "install": synth.install, "presets": presets},
                        sort_keys=False, width=200).splitlines(),
        "", "parameters:",
    ]  # fmt: skip
    for row, parameter in enumerate(synth.parameters):
        heard = loudest[row] > HEARD
        # where it makes silence, half of the range is left out
        low, high = (0.25 if peaks[row, 0] < SILENCE_PEAK else 0.0), (0.75 if peaks[row, -1] < SILENCE_PEAK else 1.0)
        entry: dict[str, Any] = {"kind": parameter.kind, "range": [0, 1]} | (
            {"steps": parameter.steps} if parameter.steps else {}
        )
        entry |= {"default": parameter.default, "unit": parameter.unit, "text": list(parameter.text)}
        entry["draw"] = [0.5 if heard else 0, low, high]
        lines.append(f"{line(parameter.name, entry)}  # {', '.join(f'{value:.2f}' for value in far[row])}")
    sets: dict[int, str | list[str]] = {
        count: ranked[:count] for count in (16, len(ranked)) if 0 < count <= len(ranked)
    }
    sets[len(synth.names)] = "all"
    lines += ["", "# The parameters that are heard most.", "sets:"]
    for count, members in sets.items():
        said = yaml.safe_dump(members, default_flow_style=True, width=1000).splitlines()[0]
        lines.append(f"  {count}: {said}")
    return "\n".join([*lines, ""])


def line(name: str, entry: dict[str, Any]) -> str:
    """Write down one parameter of a table in a line."""
    key = yaml.safe_dump(name, width=1000).splitlines()[0]
    said = yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, width=1000, allow_unicode=True).strip()
    return f"  {key}: {said}"


def inspect(plugin: Path, name: str, presets: int) -> str:
    """Make the table of a plugin.

    Args:
        plugin: Path of the plugin.
        name: Of the synthesizer: small letters.
        presets: How many are to be drawn.

    Raises:
        FileNotFoundError: If there is no such plugin.
        ValueError: If it can't be loaded, is silent, or its parameters can't be told apart.
    """
    install = f"see that {plugin} is there"
    synth = Synth(name, plugin, install, "", presets, (), {})
    synth = replace(synth, parameters=run_in_subprocess(described, synth))
    log.info("%s: %d parameters", plugin, len(synth.parameters))
    far, peaks = probe(synth)
    if peaks.max() < SILENCE_PEAK:
        raise ValueError(f"{plugin} makes no sound when MIDI note {NOTE.pitch} is played: is it an instrument?")
    return table(synth, far, peaks, reproducible(synth), presets)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table that is asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m flowsynth.apps.inspect_plugin", description="Write the parameter table of a plugin."
    )
    parser.add_argument("plugin", type=Path, help="a VST2 or VST3 plugin")
    parser.add_argument("--name", help="of the synthesizer, small letters; of the file, if it is not given")
    parser.add_argument("--presets", type=int, default=3000, help="how many presets are to be drawn (3000)")
    parser.add_argument("--out", type=Path, help="the table; NAME.yaml in the folder of the others, if it is not given")
    asked = parser.parse_args(arguments)
    name = asked.name or re.sub("[^a-z]|vst", "", asked.plugin.stem.lower())
    if not re.fullmatch("[a-z]+", name):
        parser.error(f"--name {name!r}: expected small letters, as it begins the names of data sets")
    if asked.presets < 1:
        parser.error(f"--presets {asked.presets}: expected 1 at least")
    path = asked.out or FOLDER / f"{name}.yaml"
    if path.exists():
        parser.error(f"there is {path}: take it away, or write another one with --out")
    log_to_terminal()
    try:
        write_text(path, inspect(asked.plugin.absolute(), name, asked.presets))
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    log.info("written: %s. Read it, put it into %s, and name its data sets in config.yaml", path, FOLDER)


if __name__ == "__main__":
    main()
