"""Build a page from sections, tables and figures: ``index.html``, and beside it audio, presets and figures."""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from flowsynth.core.progress import track
from flowsynth.core.provenance import maker, write_text
from flowsynth.data.features import Mel
from flowsynth.data.presets import bank_suffix, write_bank
from flowsynth.report.media import matching_volumes, spectrogram_uri, write_mp3
from flowsynth.report.sections import Group, Sound
from flowsynth.synths.spec import Synth

ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True)
class Figure:
    """A figure of the page.

    Attributes:
        title: Heading.
        text: Caption.
        png: The file, with a PDF file beside it. If either does not exist, the figure is marked as missing.
    """

    title: str
    text: str
    png: Path


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        key: Anchor, and folder of its files.
        title: Heading.
        text: Introduction in HTML.
        groups: Groups of sounds.
        layout: ``rows``, one sound per row with spectrogram and parameters, or ``steps``, sounds side by side.
    """

    key: str
    title: str
    text: str
    groups: Sequence[Group] = ()
    layout: str = "rows"


def build(
    folder: Path,
    sections: Sequence[Section],
    tables: Mapping[str, pd.DataFrame],
    figures: Sequence[Figure],
    synth: Synth,
    names: tuple[str, ...],
    sample_rate: int,
    facts: Mapping[str, str],
) -> int:
    """Build a page.

    Args:
        folder: Folder of the page; its previous content is removed.
        sections: Sections in their order.
        tables: Formatted tables by caption.
        figures: Figures in their order.
        synth: Synthesizer of the presets.
        names: Names of the predicted parameters.
        sample_rate: Sample rate of all sounds in Hz.
        facts: Further texts of the template, by name.

    Returns:
        Size of all files of the page in bytes.
    """
    if folder.exists():
        shutil.rmtree(folder)
    mel = Mel(sample_rate)
    total = sum(len(section.groups) for section in sections)
    groups = ((section, group) for section in sections for group in section.groups)
    cards: dict[str, list[dict[str, Any]]] = {section.key: [] for section in sections}
    for section, group in track(groups, total, f"page {folder}"):
        cards[section.key].append(_write_group(folder, section, group, mel, synth, names))
    with_cards = [{**vars(section), "text": Markup(section.text), "groups": cards[section.key]} for section in sections]
    copies = [_copy_figure(folder, figure) for figure in figures]
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    provenance = maker()
    context = dict(
        sections=with_cards,
        tables=[{"caption": caption, "html": Markup(html_table(table))} for caption, table in tables.items()],
        figures=copies,
        facts=facts,
        loads=bool(synth.package) or any(pattern.endswith(".bank") for pattern in synth.banks),
        commit=provenance["commit"],
        short=re.sub("^([0-9a-f]{12})[0-9a-f]*", r"\1", str(provenance["commit"])),
        provenance=json.dumps(provenance, sort_keys=True),
        style=Markup((ASSETS / "page.css").read_text(encoding="utf-8")),
        scripts=[Markup((ASSETS / name).read_text(encoding="utf-8")) for name in ("player.js", "tables.js")],
    )
    template = environment.get_template("index.html.j2")
    # the size includes the page itself, whose length does not depend on the digits of that number
    megabytes = (size + len(template.render(megabytes="0.0", **context).encode())) / 1e6
    text = template.render(megabytes=f"{megabytes:.1f}", **context)
    write_text(folder / "index.html", text)
    return size + len(text.encode())


def _write_group(
    folder: Path, section: Section, group: Group, mel: Mel, synth: Synth, names: tuple[str, ...]
) -> dict[str, Any]:
    """Write the audio and the presets of a group, and return its values for the template."""
    rows = []
    audio = {sound.label: sound.audio for sound in group.sounds if sound.audio is not None}
    volumes = dict(zip(audio, matching_volumes(list(audio.values())), strict=True))
    for sound in group.sounds:
        if sound.audio is None:
            rows.append({"label": sound.label, "missing": sound.missing})
            continue
        stem = f"{section.key}/{group.key}/{_slug(sound.label)}"
        write_mp3(sound.audio, mel.sample_rate, folder / "sounds" / f"{stem}.mp3")
        power = mel(torch.from_numpy(np.ascontiguousarray(sound.audio))[None])
        row: dict[str, Any] = {
            "label": sound.label,
            "missing": None,
            "file": f"sounds/{stem}.mp3",
            "volume": f"{volumes[sound.label]:.4f}",
            "picture": spectrogram_uri(mel.log(power)[0].numpy()),
            "score": None if sound.score is None else f"{sound.score:.2f}",
            "preset": None,
            "bars": None,
        }
        if sound.values is not None:
            full = synth.expand(np.asarray(sound.values)[None], names)
            preset = folder / "presets" / f"{stem}{bank_suffix(synth)}"
            write_bank(preset, synth, [f"{group.title.strip('“”')} - {sound.label}"], full)
            row |= {"preset": preset.relative_to(folder).as_posix(), "bars": Markup(parameter_bars(sound, names))}
        rows.append(row)
    return {"title": group.title, "reason": group.reason, "collapsed": group.collapsed, "rows": rows, "key": group.key}


def _copy_figure(folder: Path, figure: Figure) -> dict[str, Any]:
    """Copy the files of a figure, and return its values for the template."""
    png, pdf = figure.png, figure.png.with_suffix(".pdf")
    exists = png.exists() and pdf.exists()
    if exists:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        for file in (png, pdf):
            shutil.copy(file, folder / "figures" / file.name)
    return {**vars(figure), "exists": exists, "png": f"figures/{png.name}", "pdf": f"figures/{pdf.name}"}


def parameter_bars(sound: Sound, names: tuple[str, ...]) -> str:
    """Draw parameters as an SVG bar chart with true values as strokes; tooltips show names and values."""
    assert sound.values is not None
    width, height = 9, 48
    bars = []
    for index, (name, value) in enumerate(zip(names, sound.values, strict=True)):
        tooltip = f"{name}: {value:.2f}"
        x, y = index * width, height * (1 - float(value))
        shapes = f'<rect x="{x}" y="{y:.1f}" width="{width - 2}" height="{height - y:.1f}"/>'
        if sound.truth is not None:
            true = float(sound.truth[index])
            tooltip += f" (original {true:.2f})"
            shapes += f'<path d="M{x - 0.5} {height * (1 - true):.1f}h{width - 1}"/>'
        hit = f'<rect class="hit" x="{x - 1}" y="0" width="{width}" height="{height}"/>'
        bars.append(f"<g><title>{escape(tooltip)}</title>{hit}{shapes}</g>")
    label = ", ".join(f"{name} {value:.2f}" for name, value in zip(names, sound.values, strict=True))
    box = f"-1 -2 {width * len(names) + 1} {height + 4}"
    return f'<svg class="bars" viewBox="{box}" role="img" aria-label="{escape(label)}">{"".join(bars)}</svg>'


def html_table(table: pd.DataFrame) -> str:
    """Format a table of text as HTML, with the bold of Markdown kept.

    >>> html_table(pd.DataFrame({"Model": ["cnn"], "MSE": ["**0.1**"]})).partition("<tbody>")[2]
    '<tr><th scope="row">cnn</th><td><strong>0.1</strong></td></tr></tbody></table>'
    """

    def cell(text: object) -> str:
        return re.sub(r"\*\*(.*)\*\*", r"<strong>\1</strong>", escape(str(text)))

    head = "".join(f'<th scope="col">{cell(name)}</th>' for name in table.columns)
    body = [
        "<tr>" + f'<th scope="row">{cell(row[0])}</th>' + "".join(f"<td>{cell(c)}</td>" for c in row[1:]) + "</tr>"
        for row in table.itertuples(index=False)
    ]
    return f'<table class="sortable"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "_", text.lower()).strip("_")
