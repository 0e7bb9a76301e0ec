"""Pages: audio as rendered, presets as predicted, text escaped, and no missing or unused file."""

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

from flowsynth.core import hdf5
from flowsynth.core.layout import RunPaths
from flowsynth.data.presets import read_bank
from flowsynth.report import html, media, sections
from flowsynth.report.comparison_page import Candidate
from flowsynth.report.sections import Sound


def test_mp3_keeps_timing_and_level_and_is_reproducible(tmp_path: Path):
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


def test_mp3_of_a_sound_beyond_full_scale_is_not_clipped(tmp_path: Path):
    sound = tone(440, 3.0)
    media.write_mp3(sound, RATE, tmp_path / "a.mp3")
    decoded, _ = soundfile.read(tmp_path / "a.mp3")
    assert np.corrcoef(decoded, sound)[0, 1] > 0.999
    assert np.abs(decoded).max() <= 1.05


def test_volumes_match_the_quietest_sound_that_is_not_silent():
    loud, quiet, beyond, silent = tone(440, 0.8), tone(300, 0.1), tone(200, 4.0), np.zeros(4 * RATE, dtype=np.float32)
    volumes = media.matching_volumes([loud, quiet, beyond, silent])
    written = [loud, quiet, beyond / np.abs(beyond).max()]
    levels = [np.sqrt(np.mean((v * s) ** 2)) for v, s in zip(volumes, written, strict=False)]
    assert levels == pytest.approx([levels[1]] * 3, rel=1e-4)
    assert volumes[1] == volumes[3] == 1.0
    assert media.matching_volumes([silent]) == [1.0]


def test_spectrogram_has_low_bands_below_and_loud_ones_bright():
    mel = np.full((64, 80), media.DARKEST, dtype=np.float32)
    mel[:8, 40:] = media.BRIGHTEST
    uri = media.spectrogram_uri(mel)
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("L"))
    assert image.shape == (64, 80)
    assert image[-8:, 40:].min() > 200
    assert image[:-8].max() == image[-8:, :40].max() < 10


def test_parameter_bars_show_values_and_truth():
    values, truth = np.linspace(0, 1, 16), np.full(16, 0.25)
    svg = html.parameter_bars(Sound("x", tone(440), values, truth), NAMES)
    heights = [float(h) for h in re.findall(r'<rect x="[\d.]+" y="[\d.]+" width="7" height="([\d.]+)"', svg)]
    assert heights == pytest.approx((48 * values).tolist(), abs=0.06)
    assert f"{NAMES[0]}: 0.00 (original 0.25)" in svg
    assert svg.count("<path") == 16
    assert "<path" not in html.parameter_bars(Sound("x", tone(440), values), NAMES)


def test_html_table_is_escaped_and_keeps_bold():
    text = html.html_table(pd.DataFrame({"Model": ["<cnn>"], "MSE": ["**0.1 ± 0.2**"]}))
    assert "&lt;cnn&gt;" in text
    assert "<td><strong>0.1 ± 0.2</strong></td>" in text


class Links(HTMLParser):
    """Links, files and ids of a page."""

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
    """A page in the folder of an earlier one."""
    folder = tmp_path / "page"
    (folder / "sounds").mkdir(parents=True)
    (folder / "sounds" / "old.mp3").write_bytes(b"of an earlier page")
    size = pages.build(folder)
    assert size == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return folder


def test_page_refers_to_all_of_its_files_and_nothing_else(page: Path):
    links = Links()
    links.feed((page / "index.html").read_text())
    files = {str(path.relative_to(page)) for path in page.rglob("*") if path.is_file()}
    assert links.files == files - {"index.html"}
    assert {anchor[1:] for anchor in links.anchors} <= set(links.ids)
    assert len(set(links.ids)) == len(links.ids)
    assert not re.search(r'(?:href|src)="(?:https?:)?//', (page / "index.html").read_text())


def test_names_and_messages_are_escaped(page: Path):
    text = (page / "index.html").read_text()
    assert not any(tag in text for tag in ("<b ", "<nan>", "<mean>", "<script>cnn"))
    assert all(escaped in text for escaped in ("&lt;b ", "&lt;nan&gt;", "&lt;mean&gt;", "&lt;script&gt;cnn"))


def test_missing_parts_are_marked(page: Path):
    text = (page / "index.html").read_text()
    assert text.count('<td colspan="4" class="missing">missing: train: loss = ') == 2
    assert text.count('<p class="missing">missing: ') == 1
    assert text.count("This run is incomplete") == 1


def test_preset_is_read_back_as_predicted(page: Path):
    (preset,) = read_bank(page / "presets" / "reconstruction" / "a" / "cnn.bank", SYNTH)
    assert preset.name == "a <b onclick=alert(1)> - cnn"
    assert list(preset.values) == list(SYNTH.names)
    rng = np.random.default_rng(0)
    expected = SYNTH.expand(rng.random(16).astype(np.float32)[None], NAMES)[0]
    values = [p.normalise(preset.values[p.name]) for p in SYNTH.parameters]
    assert values == pytest.approx(expected.tolist(), abs=1e-6)


def test_most_active_dimension_comes_first_and_expanded(tmp_path: Path):
    estimates = np.full((2, 8, 3), 0.5, dtype=np.float32)
    estimates[1, :, 0] = np.linspace(0, 1, 8)
    with hdf5.writing(tmp_path / "v.h5", ["z0", "z1"], estimates[:, 0], ["a", "b", "c"], {}) as file:
        hdf5.add_items(file, "estimates", (8, 3))[:] = estimates
    labels = [f"{z}/{step}" for z in ("z0", "z1") for step in range(8)]
    with hdf5.writing(tmp_path / "a.h5", labels, estimates.reshape(16, 3), ["a", "b", "c"], {}) as file:
        hdf5.add_items(file, "audio", (10,))[:] = np.arange(16)[:, None]
    first, second = sections.macro_controls(tmp_path / "v.h5", tmp_path / "a.h5")
    assert (first.key, first.collapsed, second.key, second.collapsed) == ("macro_z1", False, "macro_z0", True)
    assert [sound.audio[0] for sound in first.sounds] == list(range(8, 16))


def test_page_of_a_candidate_states_its_renderings():
    paths = RunPaths(Path("results/cpu/amsynth16")).system("grouped", 0, "cnn_best16_refined8")
    assert Candidate(paths.name, paths.name, paths).render_cost() == f"{paths.name} uses 24 renderings per sound."
