"""Sections, tables and figures to a page: ``index.html``, and beside it sounds, presets and figures."""

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
from flowsynth.data.presets import write_bank
from flowsynth.report.media import picture, volumes, write_mp3
from flowsynth.report.sections import Group, Sound
from flowsynth.synths.spec import Synth

ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True)
class Figure:
    """A figure on the page.

    Attributes:
        title: Heading.
        text: What it shows.
        png: The file; a PDF beside it is taken along. If it is not there, the place of the figure is marked.
    """

    title: str
    text: str
    png: Path


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        key: Its anchor.
        title: Heading.
        text: Paragraphs before the groups, in HTML.
        groups: Of sounds.
        layout: ``rows``, a sound a row with spectrogram and parameters, or ``steps``, side by side.
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
    """Write the page.

    Args:
        folder: Of the page; what was in it is removed.
        sections: In their order.
        tables: Tables of text, by caption.
        figures: In their order.
        synth: That made the sounds.
        names: Of the inferred parameters.
        sample_rate: Of all sounds, Hz.
        facts: What else the page says of the run.

    Returns:
        Size of the whole page in bytes.
    """
    if folder.exists():
        shutil.rmtree(folder)
    mel = Mel(sample_rate)
    total = sum(len(section.groups) for section in sections)
    groups = ((section, group) for section in sections for group in section.groups)
    cards: dict[str, list[dict[str, Any]]] = {section.key: [] for section in sections}
    for section, group in track(groups, total, f"page {folder}"):
        cards[section.key].append(_group(folder, section, group, mel, synth, names))
    shown = [{**vars(section), "text": Markup(section.text), "groups": cards[section.key]} for section in sections]
    pictures = [_figure(folder, figure) for figure in figures]
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    made = maker()
    said = dict(
        sections=shown,
        tables=[{"caption": caption, "html": Markup(html_table(table))} for caption, table in tables.items()],
        figures=pictures,
        facts=facts,
        loads=Path(synth.banks).suffix == ".bank",
        commit=made["commit"],
        short=re.sub("^([0-9a-f]{12})[0-9a-f]*", r"\1", str(made["commit"])),
        made=json.dumps(made, sort_keys=True),
        style=Markup((ASSETS / "page.css").read_text()),
        player=Markup((ASSETS / "player.js").read_text()),
    )
    template = environment.get_template("index.html.j2")
    # the page counts itself; the digits of that number do not change it
    whole = size + len(template.render(megabytes="0.0", **said).encode())
    text = template.render(megabytes=f"{whole / 1e6:.1f}", **said)
    write_text(folder / "index.html", text)
    return size + len(text.encode())


def _group(
    folder: Path, section: Section, group: Group, mel: Mel, synth: Synth, names: tuple[str, ...]
) -> dict[str, Any]:
    """Write the files of a group, and say what the template has to know of it."""
    rows = []
    heard = [sound for sound in group.sounds if sound.audio is not None]
    louder = dict(zip([sound.label for sound in heard], volumes([s.audio for s in heard]), strict=True))  # type: ignore
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
            "volume": f"{louder[sound.label]:.4f}",
            "picture": picture(mel.log(power)[0].numpy()),
            "score": None if sound.score is None else f"{sound.score:.2f}",
            "preset": None,
            "bars": None,
        }
        if sound.values is not None:
            full = synth.expand(np.asarray(sound.values)[None], names)
            preset = folder / "presets" / f"{stem}.bank"
            write_bank(preset, synth, [f"{group.title.strip('“”')} - {sound.label}"], full)
            row |= {"preset": f"presets/{stem}.bank", "bars": Markup(bars(sound, names))}
        rows.append(row)
    return {"title": group.title, "reason": group.reason, "folded": group.folded, "rows": rows, "key": group.key}


def _figure(folder: Path, figure: Figure) -> dict[str, Any]:
    path, pdf = figure.png, figure.png.with_suffix(".pdf")
    there = path.exists() and pdf.exists()
    if there:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        for file in (path, pdf):
            shutil.copy(file, folder / "figures" / file.name)
    return {**vars(figure), "there": there, "png": f"figures/{path.name}", "pdf": f"figures/{pdf.name}"}


def bars(sound: Sound, names: tuple[str, ...]) -> str:
    """Draw parameters as bars, those to compare with as strokes; each tells its name and values."""
    assert sound.values is not None
    width, height = 9, 48
    parts = []
    for place, (name, value) in enumerate(zip(names, sound.values, strict=True)):
        said = f"{name}: {value:.2f}"
        x, y = place * width, height * (1 - float(value))
        inside = f'<rect x="{x}" y="{y:.1f}" width="{width - 2}" height="{height - y:.1f}"/>'
        if sound.truth is not None:
            true = float(sound.truth[place])
            said += f" (original {true:.2f})"
            inside += f'<path d="M{x - 0.5} {height * (1 - true):.1f}h{width - 1}"/>'
        hit = f'<rect class="hit" x="{x - 1}" y="0" width="{width}" height="{height}"/>'
        parts.append(f"<g><title>{escape(said)}</title>{hit}{inside}</g>")
    label = ", ".join(f"{name} {value:.2f}" for name, value in zip(names, sound.values, strict=True))
    box = f"-1 -2 {width * len(names) + 1} {height + 4}"
    return f'<svg class="bars" viewBox="{box}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'


def html_table(table: pd.DataFrame) -> str:
    """Print a table of text, in bold where Markdown has it so, as HTML."""

    def cell(text: object) -> str:
        return re.sub(r"\*\*(.*)\*\*", r"<strong>\1</strong>", escape(str(text)))

    head = "".join(f'<th scope="col">{cell(name)}</th>' for name in table.columns)
    body = [
        "<tr>" + f'<th scope="row">{cell(row[0])}</th>' + "".join(f"<td>{cell(c)}</td>" for c in row[1:]) + "</tr>"
        for row in table.itertuples(index=False)
    ]
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "_", text.lower()).strip("_")
