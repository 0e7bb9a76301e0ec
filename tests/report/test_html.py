"""A page: its sounds are what was rendered, its presets what was answered, its text safe and its files all there."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pages
import pandas as pd
import pytest
import soundfile
from pages import NAMES, RATE, SYNTH, tone
from PIL import Image

from flowsynth.data.presets import read_bank
from flowsynth.report import html, media, sections
from flowsynth.report.sections import Sound


def test_a_file_holds_the_sound_at_its_place_and_level(tmp_path: Path):
    sound = tone(440) + tone(1330, 0.1)
    media.write_mp3(sound, RATE, tmp_path / "a.mp3")
    decoded, rate = soundfile.read(tmp_path / "a.mp3")
    assert rate == RATE
    assert len(decoded) == len(sound)
    assert np.std(decoded - sound) < 0.05 * np.std(sound)
    assert (tmp_path / "a.mp3").stat().st_size < 20_000
    first = (tmp_path / "a.mp3").read_bytes()
    media.write_mp3(sound, RATE, tmp_path / "a.mp3")
    assert (tmp_path / "a.mp3").read_bytes() == first


def test_a_sound_beyond_full_scale_is_turned_down_and_not_cut(tmp_path: Path):
    sound = tone(440, 3.0)
    media.write_mp3(sound, RATE, tmp_path / "a.mp3")
    decoded, _ = soundfile.read(tmp_path / "a.mp3")
    assert np.corrcoef(decoded, sound)[0, 1] > 0.999
    assert np.abs(decoded).max() <= 1.05


def test_sounds_that_stand_together_are_as_loud_as_the_quietest_that_is_not_silent():
    loud, quiet, beyond, silent = tone(440, 0.8), tone(300, 0.1), tone(200, 4.0), np.zeros(4 * RATE, dtype=np.float32)
    found = media.volumes([loud, quiet, beyond, silent])
    heard = [loud, quiet, beyond / np.abs(beyond).max()]
    levels = [np.sqrt(np.mean((v * s) ** 2)) for v, s in zip(found, heard, strict=False)]
    assert levels == pytest.approx([levels[1]] * 3, rel=1e-4)
    assert found[1] == found[3] == 1.0
    assert media.volumes([silent]) == [1.0]


def test_a_picture_has_low_bands_below_and_loud_ones_bright():
    mel = np.full((64, 80), media.DARKEST, dtype=np.float32)
    mel[:8, 40:] = media.BRIGHTEST
    address = media.picture(mel)
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))).convert("L"))
    assert image.shape == (64, 80)
    assert image[-8:, 40:].min() > 200
    assert image[:-8].max() == image[-8:, :40].max() < 10


def test_a_bar_is_as_high_as_its_value_and_tells_it():
    values, truth = np.linspace(0, 1, 16), np.full(16, 0.25)
    drawn = html.bars(Sound("x", tone(440), values, truth), NAMES)
    heights = [float(h) for h in re.findall(r'<rect x="[\d.]+" y="[\d.]+" width="7" height="([\d.]+)"', drawn)]
    assert heights == pytest.approx((48 * values).tolist(), abs=0.06)
    assert f"{NAMES[0]}: 0.00 (original 0.25)" in drawn
    assert drawn.count("<path") == 16
    assert "<path" not in html.bars(Sound("x", tone(440), values), NAMES)


def test_a_table_is_escaped_and_keeps_its_bold():
    text = html.html_table(pd.DataFrame({"Model": ["<cnn>"], "MSE": ["**0.1 ± 0.2**"]}))
    assert "&lt;cnn&gt;" in text
    assert "<td><strong>0.1 ± 0.2</strong></td>" in text


class Links(HTMLParser):
    """What a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.files: set[str] = set()
        self.anchors: set[str] = set()
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        for key, value in attrs:
            if key == "id":
                self.ids.append(value)
            if key in ("href", "src", "data-file") and not value.startswith("data:"):
                (self.anchors if value.startswith("#") else self.files).add(value)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page, made where there was another one."""
    folder = tmp_path / "page"
    (folder / "sounds").mkdir(parents=True)
    (folder / "sounds" / "old.mp3").write_bytes(b"of an earlier page")
    size = pages.make(folder)
    assert size == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return folder


def test_all_that_a_page_refers_to_is_there_and_nothing_else(page: Path):
    found = Links()
    found.feed((page / "index.html").read_text())
    there = {str(path.relative_to(page)) for path in page.rglob("*") if path.is_file()}
    assert found.files == there - {"index.html"}
    assert {anchor[1:] for anchor in found.anchors} <= set(found.ids)
    assert len(set(found.ids)) == len(found.ids)
    assert not re.search(r'(?:href|src)="(?:https?:)?//', (page / "index.html").read_text())


def test_what_names_and_messages_hold_is_shown_as_text(page: Path):
    text = (page / "index.html").read_text()
    assert not any(tag in text for tag in ("<b ", "<nan>", "<mean>", "<script>cnn"))
    assert all(shown in text for shown in ("&lt;b ", "&lt;nan&gt;", "&lt;mean&gt;", "&lt;script&gt;cnn"))


def test_what_is_missing_is_marked_in_its_place(page: Path):
    text = (page / "index.html").read_text()
    assert text.count("missing: train: loss = ") == 2
    assert text.count("missing: what it is drawn from was not made") == 1
    assert text.count("This run did not finish") == 1


def test_a_preset_of_a_page_is_read_back_as_it_was_answered(page: Path):
    (preset,) = read_bank(page / "presets" / "reconstruction" / "a" / "cnn.bank", SYNTH)
    assert preset.name == "a <b onclick=alert(1)> - cnn"
    assert list(preset.values) == list(SYNTH.names)
    rng = np.random.default_rng(0)
    expected = SYNTH.expand(rng.random(16).astype(np.float32)[None], NAMES)[0]
    found = [p.normalise(preset.values[p.name]) for p in SYNTH.parameters]
    assert found == pytest.approx(expected.tolist(), abs=1e-6)


def test_the_dimension_that_moves_most_comes_first_and_open(tmp_path: Path):
    from flowsynth.core import hdf5

    estimates = np.full((2, 8, 3), 0.5, dtype=np.float32)
    estimates[1, :, 0] = np.linspace(0, 1, 8)
    with hdf5.writing(tmp_path / "v.h5", ["z0", "z1"], estimates[:, 0], ["a", "b", "c"], {}) as file:
        hdf5.add_items(file, "estimates", (8, 3))[:] = estimates
    labels = [f"{z}/{step}" for z in ("z0", "z1") for step in range(8)]
    with hdf5.writing(tmp_path / "a.h5", labels, estimates.reshape(16, 3), ["a", "b", "c"], {}) as file:
        hdf5.add_items(file, "audio", (10,))[:] = np.arange(16)[:, None]
    first, second = sections.macro_controls(tmp_path / "v.h5", tmp_path / "a.h5")
    assert (first.key, first.folded, second.key, second.folded) == ("macro_z1", False, "macro_z0", True)
    assert [sound.audio[0] for sound in first.sounds] == list(range(8, 16))
