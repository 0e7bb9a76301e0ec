"""Write the parameter table of a plugin from its self-description and probe renderings:

    python -m flowsynth.apps.inspect_plugin /usr/lib/vst/Nekobi-vst.so --name nekobi

With that file among the tables the whole pipeline runs on the plugin. Ranges are those of the host, 0 to 1, as plugins
do not expose their own; presets are synthetic until the table names banks. Review the table before use: the
distributions of presets and the choice of inferred parameters are heuristic.
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

from flowsynth.core.mel_filters import log_mel_distance
from flowsynth.core.progress import log, log_to_terminal, track
from flowsynth.core.provenance import write_text
from flowsynth.rendering.host import Host, Note, open_plugin
from flowsynth.rendering.plugin_process import run_in_subprocess
from flowsynth.rendering.render import render
from flowsynth.rendering.worker import SILENCE_PEAK
from flowsynth.synths.spec import FOLDER, Parameter, Synth

TEXT_VALUES = 129  # number of values at which a parameter's text is read
MAX_STEPS = 40  # a parameter with at most this many different texts is stepped
AUDIBLE = 0.02  # log-mel L1 to the base patch above which a parameter is audible
PROBES = (0.0, 0.5, 1.0)
RANDOM_PATCHES = 3  # on which parameters are probed, besides the base patch
TABLE_VALUES = (0.0, 0.25, 0.75, 1.0)  # values whose texts are in the table
NOTE = Note(22050, 512, 60, 100, 3.0, 4.0)
TIMEOUT = 20.0  # s


def read_parameters(synth: Synth) -> tuple[Parameter, ...]:
    """Read the descriptions of a plugin's parameters.

    Args:
        synth: Synthesizer with the plugin; its own parameters are ignored.

    Raises:
        ValueError: If it has no parameter, or two of the same name.
    """
    with open_plugin(synth, NOTE) as plugin:
        return _read_parameters(plugin, str(synth.plugin))


def _read_parameters(plugin: Any, path: str) -> tuple[Parameter, ...]:
    entries = plugin.get_parameters_description()
    names = [entry["name"] for entry in entries]
    duplicates = sorted({name for name in names if names.count(name) > 1})
    if duplicates or not names:
        raise ValueError(f"{path}: " + (f"duplicate parameters {', '.join(duplicates)}" if names else "no parameters"))
    parameters = []
    for index, entry in enumerate(entries):
        default = plugin.get_parameter(index)
        texts = []
        for value in np.linspace(0, 1, TEXT_VALUES):
            plugin.set_parameter(index, float(value))
            texts.append(plugin.get_parameter_text(index))
        table_texts = []
        for value in TABLE_VALUES:
            plugin.set_parameter(index, value)
            table_texts.append(plugin.get_parameter_text(index))
        plugin.set_parameter(index, default)
        steps = 1 + sum(a != b for a, b in pairwise(texts))
        kind: Literal["stepped", "continuous"] = "stepped" if 1 < steps <= MAX_STEPS else "continuous"
        unit, count = entry["label"].strip(), steps if kind == "stepped" else None
        parameters.append(Parameter(entry["name"], kind, 0.0, 1.0, round(default, 6), unit, count, tuple(table_texts)))
    return tuple(parameters)


def probe(synth: Synth) -> tuple[Float[np.ndarray, "parameters probes"], Float[np.ndarray, "parameters probes"]]:
    """Render several patches with each parameter at each of `PROBES`, as a parameter may have no effect in one patch.

    Returns:
        Largest log-mel L1 to an unmodified patch, and peak on the base patch; both are 0 where the plugin fails.

    Raises:
        ValueError: If it fails on the base patch.
    """
    # not at the top: the processes that load the plugin need neither torch nor librosa
    from flowsynth.data.features import DEFAULTS
    from flowsynth.inference.search_task import log_mel_extractor

    patches = [synth.base, *np.random.default_rng(0).uniform(0.2, 0.8, (RANDOM_PATCHES, len(synth.base)))]
    distances = np.zeros((len(patches), len(synth.names), len(PROBES)))
    peaks = np.zeros(distances.shape[1:])
    settings = [(patch, cell) for patch in range(len(patches)) for cell in (None, *np.ndindex(peaks.shape))]

    def preset(patch: int, cell: tuple[int, ...] | None) -> np.ndarray:
        values = patches[patch].copy()
        if cell:
            values[cell[0]] = PROBES[cell[1]]
        return values

    log_mel = log_mel_extractor(NOTE.sample_rate, DEFAULTS)
    results = render(synth, NOTE, (preset(*setting) for setting in settings), TIMEOUT)
    reference: np.ndarray | None = None
    for (patch, cell), result in zip(settings, track(results, len(settings), f"probe {synth.name}"), strict=True):
        failed = result.status == "failed"
        if cell is None:
            if failed and patch == 0:
                raise ValueError(f"{synth.plugin} fails on its default preset: {result.reason}")
            reference = None if failed else log_mel(result.audio)
            continue
        if failed:
            log.warning("%s = %g: %s", synth.names[cell[0]], PROBES[cell[1]], result.reason)
        elif reference is not None:
            distances[patch, *cell] = log_mel_distance(log_mel(result.audio), reference)
        if patch == 0:
            peaks[cell] = np.abs(result.audio).max()
    return distances.max(axis=0), peaks


def check_reproducibility(synth: Synth) -> dict[str, bool]:
    """Check whether two presets render bit-identically in any order, by one instance and by a fresh instance each."""
    rng = np.random.default_rng(0)
    presets = [synth.base, np.clip(synth.base + rng.uniform(-0.3, 0.3, len(synth.base)), 0, 1)]
    order = [0, 1, 0, 1, 1, 0]
    sounds_by_method = {
        "one instance": run_in_subprocess(
            synth, _render_in_turn, synth, [presets[index].astype(np.float32) for index in order]
        ),
        "fresh instances": [r.audio for r in render(synth, NOTE, [presets[index] for index in order], TIMEOUT)],
    }
    return {
        method: all(
            np.array_equal(sounds[order.index(index)], sound) for index, sound in zip(order, sounds, strict=True)
        )
        for method, sounds in sounds_by_method.items()
    }


def _render_in_turn(synth: Synth, presets: Sequence[np.ndarray]) -> list[np.ndarray]:
    host = Host(synth, NOTE)
    return [host.play(values) for values in presets]


def format_table(
    synth: Synth, distances: np.ndarray, peaks: np.ndarray, reproducible: dict[str, bool], presets: int
) -> str:
    """Format a parameter table.

    Args:
        synth: Synthesizer with the parameters of `read_parameters`.
        distances: Distances from `probe`.
        peaks: Peaks from `probe`.
        reproducible: Result of `check_reproducibility`.
        presets: Number of synthetic presets.
    """
    largest = distances.max(axis=1)
    ranked = [synth.names[column] for column in np.argsort(-largest, kind="stable") if largest[column] > AUDIBLE]
    methods = ", ".join(f"{method}: {'yes' if same else 'no'}" for method, same in reproducible.items())
    lines = [
        "# Written by flowsynth.apps.inspect_plugin. The comment of a parameter is its largest effect (log-mel L1)",
        "# at 0, 0.5 and 1, over several patches.",
        f"# Bit-identical in any order, by {methods}. Presets are rendered by a fresh instance each.",
        "# draw: share of presets in which a parameter is not at its default, and the range it is then drawn from.",
        *yaml.safe_dump({"name": synth.name, "plugin": str(synth.plugin), "install": synth.install, "presets": presets},
                        sort_keys=False, width=200).splitlines(),
        "", "parameters:",
    ]  # fmt: skip
    for row, parameter in enumerate(synth.parameters):
        audible = largest[row] > AUDIBLE
        # leave out the quarter of the range at an end that is silent
        low, high = (0.25 if peaks[row, 0] < SILENCE_PEAK else 0.0), (0.75 if peaks[row, -1] < SILENCE_PEAK else 1.0)
        entry: dict[str, Any] = {"kind": parameter.kind, "range": [0, 1]} | (
            {"steps": parameter.steps} if parameter.steps else {}
        )
        entry |= {"default": parameter.default, "unit": parameter.unit, "text": list(parameter.text)}
        entry["draw"] = [0.5 if audible else 0, low, high]
        effects = ", ".join(f"{value:.2f}" for value in distances[row])
        lines.append(f"{format_parameter(parameter.name, entry)}  # {effects}")
    sets: dict[int, str | list[str]] = {
        count: ranked[:count] for count in (16, len(ranked)) if 0 < count <= len(ranked)
    }
    sets[len(synth.names)] = "all"
    lines += ["", "# The parameters with the largest effects.", "sets:"]
    for count, members in sets.items():
        text = yaml.safe_dump(members, default_flow_style=True, width=1000).splitlines()[0]
        lines.append(f"  {count}: {text}")
    return "\n".join([*lines, ""])


def format_parameter(name: str, entry: dict[str, Any]) -> str:
    """Format a parameter as a line of a table."""
    key = yaml.safe_dump(name, width=1000).splitlines()[0]
    text = yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, width=1000, allow_unicode=True).strip()
    return f"  {key}: {text}"


def inspect(plugin: Path, name: str, presets: int) -> str:
    """Create the parameter table of a plugin.

    Args:
        plugin: Path of the plugin.
        name: Name of the synthesizer, lower-case letters.
        presets: Number of synthetic presets.

    Raises:
        FileNotFoundError: If the plugin does not exist.
        ValueError: If it can't be loaded, is silent, or has duplicate parameters.
    """
    install = f"see that {plugin} is there"
    synth = Synth(name, plugin, install, (), presets, (), {})
    synth = replace(synth, parameters=run_in_subprocess(synth, read_parameters, synth))
    log.info("%s: %d parameters", plugin, len(synth.parameters))
    distances, peaks = probe(synth)
    if peaks.max() < SILENCE_PEAK:
        raise ValueError(f"{plugin} is silent when MIDI note {NOTE.pitch} is played: is it an instrument?")
    return format_table(synth, distances, peaks, check_reproducibility(synth), presets)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the parameter table of a plugin."""
    parser = argparse.ArgumentParser(
        prog="python -m flowsynth.apps.inspect_plugin", description="Write the parameter table of a plugin."
    )
    parser.add_argument("plugin", type=Path, help="VST2 or VST3 plugin")
    parser.add_argument("--name", help="name of the synthesizer, lower-case letters (default: from the file name)")
    parser.add_argument("--presets", type=int, default=3000, help="number of synthetic presets (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="output file (default: NAME.yaml among the tables)")
    args = parser.parse_args(arguments)
    name = args.name or re.sub("[^a-z]|vst", "", args.plugin.stem.lower())
    if not re.fullmatch("[a-z]+", name):
        parser.error(f"--name {name!r}: expected lower-case letters, as names of data sets begin with it")
    if args.presets < 1:
        parser.error(f"--presets {args.presets}: expected at least 1")
    path = args.out or FOLDER / f"{name}.yaml"
    if path.exists():
        parser.error(f"{path} already exists: remove it, or choose another --out")
    log_to_terminal()
    try:
        write_text(path, inspect(args.plugin.absolute(), name, args.presets))
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    log.info("written: %s. Review it, put it into %s, and add its data sets to config.yaml", path, FOLDER)


if __name__ == "__main__":
    from flowsynth.apps import inspect_plugin  # by its name, as a new process must find its functions

    inspect_plugin.main()
