"""The explore command in a real browser: sounds, interpolation, saving and matching."""

import base64
import http.client
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from browser import OVERFLOW, browser, contrast, errors, resize, until
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from waiting import DEADLINE, wait_until

from flowsynth.apps.explorer.server import FILES
from flowsynth.core.integrity import record
from flowsynth.data.presets import read_bank
from flowsynth.inference.run_model import open_run_model
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render
from flowsynth.synths.spec import load

ROOT = Path(__file__).resolve().parents[2]
RATE = 22050
HOSTILE = "<img src=x onerror=\"window.hit = 1\"> & 'it'"
LONG = "Endless" * 30
# records every sound that starts, as the page does not show them
SPY = """
window.played = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...given) {
  const samples = this.buffer.getChannelData(0);
  const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  window.played.push({ peak, mark: samples.filter((_, i) => i % 97 === 0).join(), seconds: this.buffer.duration });
  return start.apply(this, given);
};
"""
DROP = """
const data = new DataTransfer();
const bytes = Uint8Array.from(atob(arguments[1]), (letter) => letter.charCodeAt(0));
data.items.add(new File([bytes], arguments[0]));
for (const type of ["dragover", "drop"]) {
  const event = new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true });
  document.querySelector("#map").dispatchEvent(event);
}
"""
DOTS = "#map > circle"
TEXTS = ("p", ".small", "#name", "#tooltip", "#status", "button:disabled", "label.act", "#macros label")


@pytest.fixture(scope="module")
def names(live: Path) -> list[str]:
    """Names of the presets on the map, two of them problematic."""
    path, ids = live.parents[3] / "presets.csv", list(open_run_model(live).test.ids)
    table = pd.read_csv(path, dtype={"id": str}, keep_default_na=False).set_index("id")
    table.loc[ids[:2], "name"] = [HOSTILE, LONG]
    table.to_csv(path)
    record(path)
    return table.loc[ids, "name"].tolist()


@pytest.fixture(scope="module")
def address(live: Path, names: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    output = tmp_path_factory.mktemp("served") / "output"
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    restore_signal = ["env", "--default-signal=INT"]  # processes in the background of a script ignore Ctrl-C
    command = [*restore_signal, sys.executable, "-m", "flowsynth", "explore", "--model", str(live), "--port", "0"]
    with output.open("w") as file:
        process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, stdout=file, stderr=file)

    def printed_address() -> str | None:
        assert process.poll() is None, output.read_text()
        match = re.search(r"http://127\.0\.0\.1:\d+/", output.read_text())
        return match and match[0]

    try:
        yield wait_until(printed_address, "the address of the explorer")
        assert process.poll() is None, output.read_text()
        assert "Traceback" not in output.read_text()
        process.send_signal(2)  # as Ctrl-C does
        assert process.wait(DEADLINE) == 0, output.read_text()
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with browser(tmp_path_factory.mktemp("browser")) as driver:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SPY})
        yield driver


@pytest.fixture
def page(chromium: webdriver.Chrome, address: str) -> Iterator[webdriver.Chrome]:
    """The page, just loaded and with sound enabled; at the end the console must be empty."""
    resize(chromium, 1400)
    chromium.get(address)
    chromium.find_element(By.TAG_NAME, "h1").click()
    assert chromium.find_element(By.ID, "status").text == ""
    yield chromium
    assert errors(chromium) == []
    assert chromium.execute_script("return window.hit") is None


def dots(driver: webdriver.Chrome) -> list[WebElement]:
    return driver.find_elements(By.CSS_SELECTOR, DOTS)


def outermost_dots(driver: webdriver.Chrome) -> tuple[WebElement, WebElement]:
    """The leftmost and the rightmost dot."""
    ordered = sorted(dots(driver), key=lambda dot: float(dot.get_attribute("cx")))
    return ordered[0], ordered[-1]


def sound_after(driver: webdriver.Chrome, action) -> dict:
    """The sound that is played after an action."""
    driver.execute_script("window.played.length = 0")
    action()
    until(driver, "window.played.length > 0")
    return driver.execute_script("return window.played.at(-1)")


def move_slider(driver: webdriver.Chrome, slider: WebElement, value: float) -> None:
    """Set a slider as a user would."""
    driver.execute_script(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', { bubbles: true }))",
        slider,
        value,
    )


def hover(driver: webdriver.Chrome, dot: WebElement) -> None:
    ActionChains(driver, duration=20).move_to_element(dot).perform()


def wav(audio: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, audio, RATE, format="WAV")
    return file.getvalue()


TONE = wav(0.3 * np.sign(np.sin(2 * np.pi * 220 * np.arange(2 * RATE) / RATE)))


def test_the_map_shows_every_preset_and_loads_no_other_files(page: webdriver.Chrome, address: str, names: list[str]):
    labels = [dot.get_attribute("aria-label") for dot in dots(page)]
    assert labels == names
    assert len(labels) >= 6
    requested = page.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert {url.removeprefix(address) for url in requested} == set(FILES)


def test_pointing_at_a_preset_plays_it(page: webdriver.Chrome):
    left, right = outermost_dots(page)
    sound = sound_after(page, lambda: hover(page, left))
    assert sound["peak"] > 0.01
    assert sound["seconds"] == pytest.approx(4, abs=0.01)
    assert page.find_element(By.ID, "tooltip").text == left.get_attribute("aria-label")
    other = sound_after(page, lambda: hover(page, right))
    assert other["mark"] != sound["mark"]
    assert sound_after(page, lambda: hover(page, left))["mark"] == sound["mark"]
    fetched = page.execute_script("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert sum(url.endswith("/sound") for url in fetched) <= 3  # the pointer may pass a third dot
    assert page.find_element(By.ID, "name").text == "None"


def test_it_can_be_used_by_keyboard(page: webdriver.Chrome):
    page.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    find = page.switch_to.active_element
    assert find.get_attribute("id") == "find"
    assert sound_after(page, lambda: find.send_keys(Keys.TAB))["peak"] > 0
    first = page.switch_to.active_element
    assert first.tag_name == "circle"
    seen = {first.get_attribute("cx")}
    for _ in range(len(dots(page))):
        page.switch_to.active_element.send_keys(Keys.PAGE_DOWN)
        seen.add(page.switch_to.active_element.get_attribute("cx"))
    assert seen == {dot.get_attribute("cx") for dot in dots(page)}
    left, _ = outermost_dots(page)
    page.execute_script("arguments[0].focus()", left)
    page.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    moved = page.switch_to.active_element
    assert float(moved.get_attribute("cx")) > float(left.get_attribute("cx"))
    moved.send_keys(Keys.ENTER)
    assert page.find_element(By.ID, "name").text == moved.get_attribute("aria-label")
    until(page, "document.querySelector('#play').getAttribute('aria-pressed') === 'true'")
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert page.find_element(By.ID, "play").get_attribute("aria-pressed") == "false"


def test_presets_are_searched_by_name(page: webdriver.Chrome):
    find, count = (page.find_element(By.ID, name) for name in ("find", "find-count"))
    total = len(dots(page))
    find.send_keys("ENDLESS")
    matches = [dot for dot in dots(page) if dot.get_attribute("class") != "faded"]
    assert [dot.get_attribute("aria-label") for dot in matches] == [LONG]
    assert count.text == f"1 of {total}"
    hover(page, next(dot for dot in dots(page) if dot.get_attribute("aria-label") == HOSTILE))
    assert page.find_element(By.ID, "tooltip").text in ("", LONG)  # presets that do not match are not pointed at
    assert sound_after(page, lambda: find.send_keys(Keys.ENTER))["seconds"] == pytest.approx(4, abs=0.01)
    assert page.switch_to.active_element == matches[0]
    find.send_keys(" no such")
    assert count.text == f"0 of {total}"
    find.send_keys(Keys.ENTER)
    assert page.switch_to.active_element == find
    find.send_keys(Keys.CONTROL, "a", Keys.DELETE)
    assert count.text == ""
    assert all(dot.get_attribute("class") != "faded" for dot in dots(page))


def test_an_interpolation_starts_and_ends_at_the_presets(page: webdriver.Chrome):
    left, right = outermost_dots(page)
    ends = {t: sound_after(page, lambda dot=dot: hover(page, dot))["mark"] for t, dot in ((0, left), (1, right))}
    for dot in (left, right):
        page.execute_script("arguments[0].focus()", dot)
        dot.send_keys(Keys.ENTER)
    slider = page.find_element(By.ID, "between")
    sounds = {t: sound_after(page, lambda t=t: move_slider(page, slider, t))["mark"] for t in (0, 0.5, 1)}
    assert sounds[0] == ends[0]
    assert sounds[1] == ends[1]
    assert sounds[0.5] not in (sounds[0], sounds[1])
    move_slider(page, slider, 0.5)
    parameters = page.find_element(By.CSS_SELECTOR, "input[value=parameters]")
    assert sound_after(page, parameters.click)["mark"] not in sounds.values()
    assert page.find_element(By.ID, "name").text.endswith(", 50 %")
    assert page.find_element(By.ID, "first").text == f"A: {left.get_attribute('aria-label')}"
    page.find_element(By.ID, "start-over").click()
    assert page.find_element(By.ID, "name").text == "None"


def test_a_macro_control_modifies_the_sound_and_can_be_reset(page: webdriver.Chrome):
    left, _ = outermost_dots(page)
    hover(page, left)
    until(page, "window.played.length > 0")
    original = sound_after(page, left.click)
    assert page.find_element(By.ID, "name").text == left.get_attribute("aria-label")
    sliders = page.find_elements(By.CSS_SELECTOR, "#macros input")
    assert len(sliders) == 8
    modified = sound_after(page, lambda: move_slider(page, sliders[0], 2.5))
    assert modified["mark"] != original["mark"]
    assert page.find_element(By.ID, "name").text.endswith(", modified")
    assert sound_after(page, page.find_element(By.ID, "reset").click)["mark"] == original["mark"]


def test_the_saved_preset_and_sound_are_bit_identical(page: webdriver.Chrome, tmp_path: Path):
    settings = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.execute_cdp_cmd("Browser.setDownloadBehavior", settings)
    for dot in outermost_dots(page):
        page.execute_script("arguments[0].focus()", dot)
        dot.send_keys(Keys.ENTER)
    move_slider(page, page.find_element(By.ID, "between"), 0.3)
    for name in ("save-preset", "save-sound"):
        page.find_element(By.ID, name).click()
    wait_until(lambda: {".bank", ".wav"} <= {path.suffix for path in tmp_path.iterdir()}, "both files are saved")
    files = {path.suffix: path for path in tmp_path.iterdir()}
    synth = load("amsynth")
    (preset,) = read_bank(files[".bank"], synth)
    full = np.array([p.normalise(preset.values[p.name]) for p in synth.parameters], dtype=np.float32)
    (rendered,) = render(synth, Note(RATE, 512, 60, 100, 3.0, 4.0), [full], 20)
    audio, rate = soundfile.read(files[".wav"], dtype="float32")
    assert rate == RATE
    assert np.array_equal(audio, rendered.audio)
    assert files[".wav"].stem == files[".bank"].stem


def test_a_dropped_sound_is_matched(page: webdriver.Chrome):
    name = "<b>my sound</b>.wav"
    prediction = sound_after(page, lambda: page.execute_script(DROP, name, base64.b64encode(TONE).decode()))
    info = page.find_element(By.ID, "match-info").text
    assert info.startswith(f"{name}, preprocessed for the model")
    assert "Estimated pitch A3, shifted up by 3.0 semitones" in info
    assert page.find_element(By.ID, "name").text == f"Match of {name}"
    target = sound_after(page, page.find_element(By.ID, "target").click)
    assert target["peak"] > 0.01
    assert target["mark"] != prediction["mark"]
    assert sound_after(page, page.find_element(By.ID, "prediction").click)["mark"] == prediction["mark"]
    slider = page.find_element(By.CSS_SELECTOR, "#macros input")
    assert sound_after(page, lambda: move_slider(page, slider, -2.5))["mark"] != prediction["mark"]


def test_unusable_files_are_reported(page: webdriver.Chrome, tmp_path: Path):
    (tmp_path / "broken.wav").write_bytes(b"not a sound")
    (tmp_path / "silent.wav").write_bytes(wav(np.zeros(RATE)))
    (tmp_path / "good.wav").write_bytes(TONE)
    with (tmp_path / "large.wav").open("wb") as file:
        file.truncate(2**26 + 1)
    chooser = page.find_element(By.ID, "file")
    for name, message in (
        ("broken.wav", "broken.wav: The sound can't be read (Format not recognised). Please copy or export it again"),
        ("silent.wav", "silent.wav: The sound is silent"),
        ("large.wav", "large.wav is too large. Please choose a file of up to 64 MiB."),
    ):
        chooser.send_keys(str(tmp_path / name))
        until(page, f"document.querySelector('#status').textContent.startsWith('{message[:20]}')")
        assert page.find_element(By.ID, "status").text.startswith(message)
    assert all("status of 400" in message for message in errors(page))  # logged by the browser
    sound_after(page, lambda: chooser.send_keys(str(tmp_path / "good.wav")))
    assert page.find_element(By.ID, "status").text == ""


def test_a_dropped_folder_is_reported(page: webdriver.Chrome, tmp_path: Path):
    (tmp_path / "sounds").mkdir()
    data = {"items": [], "files": [str(tmp_path / "sounds")], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        page.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, "x": 200, "y": 200, "data": data})
    until(page, "document.querySelector('#status').textContent.startsWith('sounds ')")
    assert (
        page.find_element(By.ID, "status").text
        == "sounds can't be read. If it is a folder, please drop one of its files."
    )


def test_html_in_names_is_escaped(page: webdriver.Chrome):
    hostile = next(dot for dot in dots(page) if dot.get_attribute("aria-label") == HOSTILE)
    page.execute_script("arguments[0].focus()", hostile)
    hostile.send_keys(Keys.ENTER)
    for name in ("name", "tooltip"):
        assert page.find_element(By.ID, name).text == HOSTILE
    assert page.find_elements(By.TAG_NAME, "img") == []


@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_is_wider_than_the_screen(page: webdriver.Chrome, width: int):
    resize(page, width)
    page.refresh()
    page.find_element(By.TAG_NAME, "h1").click()
    sound_after(page, lambda: page.execute_script(DROP, LONG, base64.b64encode(TONE).decode()))
    for dot in [dot for dot in dots(page) if dot.get_attribute("aria-label") in (LONG, HOSTILE)]:
        page.execute_script("arguments[0].focus()", dot)
        dot.send_keys(Keys.ENTER)
        assert page.find_element(By.ID, "tooltip").is_displayed()
        assert page.execute_script("return innerWidth") == width
        assert page.execute_script("return document.scrollingElement.scrollWidth") <= width
        assert page.execute_script(OVERFLOW) == []


def test_text_has_sufficient_contrast(page: webdriver.Chrome):
    left, _ = outermost_dots(page)
    page.execute_script("arguments[0].focus()", left)
    styles = "const s = getComputedStyle(arguments[0]); return [s.color, s.backgroundColor]"
    for scheme in ("light", "dark"):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        page.execute_script("document.querySelector('#status').classList.add('error')")
        body_colour = page.execute_script("return getComputedStyle(document.body).backgroundColor")
        for selector in TEXTS:
            for element in page.find_elements(By.CSS_SELECTOR, selector):
                colour, background = page.execute_script(styles, element)
                seen = body_colour if background == "rgba(0, 0, 0, 0)" else background
                assert contrast(colour, seen) >= 4.5, (scheme, selector)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "//etc/passwd", "/explorer.css/../server.py"]
)
def test_no_other_file_is_served(address: str, path: str):
    connection = http.client.HTTPConnection(*address.removeprefix("http://").rstrip("/").split(":"))
    connection.putrequest("GET", path)
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 404
    assert b"root:" not in response.read()
    connection.close()
