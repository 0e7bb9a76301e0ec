"""Plugins that are missing, damaged, or other than their table says."""

import os
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from unittest import mock

from bad_inputs import bad_input

from flowsynth.rendering import plugin_process
from flowsynth.rendering.host import Host, Note
from flowsynth.rendering.render import render
from flowsynth.synths import spec

NOTE = Note(22050, 512, 60, 100, 3.0, 4.0)
AMSYNTH = spec.load("amsynth")


def load(plugin: Path) -> None:
    """Load another file as amsynth, in a process of its own."""
    list(render(replace(AMSYNTH, plugin=plugin), NOTE, [], 20))


@bad_input("Plugins", "not installed", "no plugin at x.so", "apt-get install amsynth", error=FileNotFoundError)
def missing(folder: Path) -> None:
    Host(replace(AMSYNTH, plugin=folder / "x.so"), NOTE)


@bad_input("Plugins", "not a plugin", "x.so can't be loaded", "apt-get install amsynth")
def not_a_plugin(folder: Path) -> None:
    (folder / "x.so").write_text("not a plugin")
    Host(replace(AMSYNTH, plugin=folder / "x.so"), NOTE)


@bad_input("Plugins", "truncated", "x.so ended with signal SIGBUS while it loaded", "reinstall it (apt-get install")
def truncated(folder: Path) -> None:
    (folder / "x.so").write_bytes(AMSYNTH.plugin.read_bytes()[:100_000])
    load(folder / "x.so")


@bad_input("Plugins", "hangs while it loads", "x.so has not loaded within 0.2 s", "waits for a licence", "reinstall it")
def hangs(folder: Path) -> None:
    os.mkfifo(folder / "x.so")  # opening it waits for a writer
    with mock.patch.object(plugin_process, "LOAD_TIMEOUT", 0.2):
        load(folder / "x.so")


def changed(parameter: str, **changes: object) -> Callable[[Path], object]:
    """Load amsynth with another entry in its table."""
    parameters = tuple(replace(p, **changes) if p.name == parameter else p for p in AMSYNTH.parameters)
    return lambda _: Host(replace(AMSYNTH, parameters=parameters), NOTE)


bad_input("Plugins", "a parameter missing from the table", "missing ['cutoff']", "not in the table ['filter_cutoff']")(
    changed("filter_cutoff", name="cutoff")
)
bad_input("Plugins", "another default than in the table", "amp_sustain: default 1", "0.5 in the table")(
    changed("amp_sustain", default=0.5)
)
bad_input("Plugins", "another range than in the table", "lfo_freq:", "shows", "the table has ['0', '1', '2', '3']")(
    changed("lfo_freq", text=("0", "1", "2", "3"))
)


def table(text: str) -> Callable[[Path], object]:
    """Read a parameter table."""

    def use(folder: Path) -> None:
        (folder / "x.yaml").write_text(text)
        spec.read(folder / "x.yaml")

    return use


bad_input("Parameter tables", "no YAML", "x.yaml is no valid YAML")(table("name: [x"))
bad_input("Parameter tables", "other content", "x.yaml is no parameter table", "expected entries name,")(table("- x"))
bad_input("Parameter tables", "no name", "x.yaml has no 'name'")(table("plugin: x.so"))
bad_input("Parameter tables", "a name with a path", "name '../x': expected lower-case letters (x.yaml)")(
    table("{name: ../x, plugin: x.so}")
)
bad_input("Parameter tables", "references that fill the memory", "x.yaml has references to references")(
    table("\n".join(f"{a}: &{a} [{','.join([f'*{b}'] * 9 if b else 'x')}]" for b, a in pairwise(["", *"abcdefgh"])))
)
