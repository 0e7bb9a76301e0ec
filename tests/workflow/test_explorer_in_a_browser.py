"""The explorer as it is: the command, a real browser, and what is heard in it."""

import base64
import http.client
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from browser import OVERFLOW, browser, contrast, errors, resize, until
from programs import Unavailable, skip_or_fail
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from flowsynth.apps.explorer.server import FILES
from flowsynth.data.presets import read_bank
from flowsynth.inference.trained_model import open_model
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render
from flowsynth.synths.spec import load

ROOT = Path(__file__).resolve().parents[2]
RATE = 22050
HOSTILE = "<img src=x onerror=\"window.hit = 1\"> & 'it'"
LONG = "Endless" * 30
# what is played is not to be seen on the page: every sound that starts tells of itself
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
  document.querySelector("#map").dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
}
"""
DOTS = "#map > circle"


@pytest.fixture(scope="module")
def names(live: Path) -> list[str]:
    """Names of the presets that are on the map; two of them are not as one would wish."""
    path, shown = live.parents[3] / "presets.csv", list(open_model(live).test.ids)
    table = pd.read_csv(path, dtype={"id": str}, keep_default_na=False).set_index("id")
    table.loc[shown[:2], "name"] = [HOSTILE, LONG]
    table.to_csv(path)
    return table.loc[shown, "name"].tolist()


@pytest.fixture(scope="module")
def address(live: Path, names: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    said = tmp_path_factory.mktemp("served") / "said"
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    listening = ["env", "--default-signal=INT"]  # what was started in the background of a script is deaf to Ctrl-C
    command = [*listening, sys.executable, "-m", "flowsynth", "explore", str(live), "--port", "0"]
    with said.open("w") as file:
        process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, stdout=file, stderr=file)
    try:
        while not (found := re.search(r"http://127\.0\.0\.1:\d+/", said.read_text())):
            assert process.poll() is None, said.read_text()
            time.sleep(0.1)
        yield found[0]
        assert process.poll() is None, said.read_text()
        assert "Traceback" not in said.read_text()
        process.send_signal(2)  # as Ctrl-C does
        assert process.wait(timeout=60) == 0, said.read_text()
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    try:
        with browser(tmp_path_factory.mktemp("browser")) as driver:
            driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SPY})
            yield driver
    except Unavailable as reason:
        skip_or_fail(f"no browser to test with: {reason}")


@pytest.fixture
def page(chromium: webdriver.Chrome, address: str) -> Iterator[webdriver.Chrome]:
    """The page, just loaded, with its sound turned on; at the end nothing stands in the console."""
    resize(chromium, 1400)
    chromium.get(address)
    chromium.find_element(By.TAG_NAME, "h1").click()
    assert chromium.find_element(By.ID, "told").text == ""
    yield chromium
    assert errors(chromium) == []
    assert chromium.execute_script("return window.hit") is None


def dots(driver: webdriver.Chrome) -> list[WebElement]:
    return driver.find_elements(By.CSS_SELECTOR, DOTS)


def apart(driver: webdriver.Chrome) -> tuple[WebElement, WebElement]:
    """Two dots that are far from each other: the first from the left, and the last."""
    ordered = sorted(dots(driver), key=lambda dot: float(dot.get_attribute("cx")))
    return ordered[0], ordered[-1]


def after(driver: webdriver.Chrome, action) -> dict:
    """The sound that is heard after something was done; what was playing before is forgotten."""
    driver.execute_script("window.played.length = 0")
    action()
    until(driver, "window.played.length > 0")
    return driver.execute_script("return window.played.at(-1)")


def turn(driver: webdriver.Chrome, slider: WebElement, value: float) -> None:
    """Move a slider as a hand would, at once."""
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


def test_the_map_shows_every_preset_and_asks_nobody_else(page: webdriver.Chrome, address: str, names: list[str]):
    called = [dot.get_attribute("aria-label") for dot in dots(page)]
    assert called == names
    assert len(called) >= 6
    asked = page.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert {url.removeprefix(address) for url in asked} == set(FILES)


def test_pointing_at_a_preset_lets_it_be_heard_once_fetched(page: webdriver.Chrome):
    left, right = apart(page)
    sound = after(page, lambda: hover(page, left))
    assert sound["peak"] > 0.01
    assert sound["seconds"] == pytest.approx(4, abs=0.01)
    assert page.find_element(By.ID, "pointed").text == left.get_attribute("aria-label")
    other = after(page, lambda: hover(page, right))
    assert other["mark"] != sound["mark"]
    assert after(page, lambda: hover(page, left))["mark"] == sound["mark"]
    fetched = page.execute_script("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert sum(url.endswith("/sound") for url in fetched) <= 3  # the way from one to the other may lead over a third
    assert page.find_element(By.ID, "name").text == "Nothing yet"


def test_it_can_be_used_by_keyboard(page: webdriver.Chrome):
    page.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    find = page.switch_to.active_element
    assert find.get_attribute("id") == "find"
    assert after(page, lambda: find.send_keys(Keys.TAB))["peak"] > 0
    first = page.switch_to.active_element
    assert first.tag_name == "circle"
    seen = {first.get_attribute("cx")}
    for _ in range(len(dots(page))):
        page.switch_to.active_element.send_keys(Keys.PAGE_DOWN)
        seen.add(page.switch_to.active_element.get_attribute("cx"))
    assert seen == {dot.get_attribute("cx") for dot in dots(page)}
    left, _ = apart(page)
    page.execute_script("arguments[0].focus()", left)
    page.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    moved = page.switch_to.active_element
    assert float(moved.get_attribute("cx")) > float(left.get_attribute("cx"))
    moved.send_keys(Keys.ENTER)
    assert page.find_element(By.ID, "name").text == moved.get_attribute("aria-label")
    until(page, "document.querySelector('#play').getAttribute('aria-pressed') === 'true'")
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert page.find_element(By.ID, "play").get_attribute("aria-pressed") == "false"


def test_presets_are_found_by_their_names(page: webdriver.Chrome):
    find, told = (page.find_element(By.ID, name) for name in ("find", "found"))
    everything = len(dots(page))
    find.send_keys("ENDLESS")
    left = [dot for dot in dots(page) if dot.get_attribute("class") != "out"]
    assert [dot.get_attribute("aria-label") for dot in left] == [LONG]
    assert told.text == f"1 of {everything}"
    hover(page, next(dot for dot in dots(page) if dot.get_attribute("aria-label") == HOSTILE))
    assert page.find_element(By.ID, "pointed").text in ("", LONG)  # what was not found is not pointed at
    assert after(page, lambda: find.send_keys(Keys.ENTER))["seconds"] == pytest.approx(4, abs=0.01)
    assert page.switch_to.active_element == left[0]
    find.send_keys(" no such")
    assert told.text == f"0 of {everything}"
    find.send_keys(Keys.ENTER)
    assert page.switch_to.active_element == find
    find.send_keys(Keys.CONTROL, "a", Keys.DELETE)
    assert told.text == ""
    assert all(dot.get_attribute("class") != "out" for dot in dots(page))


def test_the_way_between_two_presets_begins_and_ends_at_them(page: webdriver.Chrome):
    left, right = apart(page)
    heard = {t: after(page, lambda dot=dot: hover(page, dot))["mark"] for t, dot in ((0, left), (1, right))}
    for dot in (left, right):
        page.execute_script("arguments[0].focus()", dot)
        dot.send_keys(Keys.ENTER)
    slider = page.find_element(By.ID, "between")
    found = {t: after(page, lambda t=t: turn(page, slider, t))["mark"] for t in (0, 0.5, 1)}
    assert found[0] == heard[0]
    assert found[1] == heard[1]
    assert found[0.5] not in (found[0], found[1])
    turn(page, slider, 0.5)
    parameters = page.find_element(By.CSS_SELECTOR, "input[value=parameters]")
    assert after(page, parameters.click)["mark"] not in found.values()
    assert page.find_element(By.ID, "name").text.endswith(", 50 %")
    assert page.find_element(By.ID, "first").text == f"A: {left.get_attribute('aria-label')}"
    page.find_element(By.ID, "over").click()
    assert page.find_element(By.ID, "name").text == "Nothing yet"


def test_a_macro_control_changes_the_sound_and_back(page: webdriver.Chrome):
    left, _ = apart(page)
    hover(page, left)
    until(page, "window.played.length > 0")
    chosen = after(page, left.click)
    assert page.find_element(By.ID, "name").text == left.get_attribute("aria-label")
    sliders = page.find_elements(By.CSS_SELECTOR, "#macros input")
    assert len(sliders) == 8
    changed = after(page, lambda: turn(page, sliders[0], 2.5))
    assert changed["mark"] != chosen["mark"]
    assert page.find_element(By.ID, "name").text.endswith(", changed")
    assert after(page, page.find_element(By.ID, "reset").click)["mark"] == chosen["mark"]


def test_what_is_heard_is_saved_to_the_bit(page: webdriver.Chrome, tmp_path: Path):
    settings = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.execute_cdp_cmd("Browser.setDownloadBehavior", settings)
    for dot in apart(page):
        page.execute_script("arguments[0].focus()", dot)
        dot.send_keys(Keys.ENTER)
    turn(page, page.find_element(By.ID, "between"), 0.3)
    for name in ("save-preset", "save-sound"):
        page.find_element(By.ID, name).click()
    for _ in range(200):
        files = {path.suffix: path for path in tmp_path.iterdir()}
        if {".bank", ".wav"} <= files.keys():
            break
        time.sleep(0.05)
    synth = load("amsynth")
    (preset,) = read_bank(files[".bank"], synth)
    full = np.array([p.normalise(preset.values[p.name]) for p in synth.parameters], dtype=np.float32)
    (played,) = render(synth, Note(RATE, 512, 60, 100, 3.0, 4.0), [full], 20)
    audio, rate = soundfile.read(files[".wav"], dtype="float32")
    assert rate == RATE
    assert np.array_equal(audio, played.audio)
    assert files[".wav"].stem == files[".bank"].stem


def test_a_sound_that_is_dropped_is_heard_beside_its_answer(page: webdriver.Chrome):
    name = "<b>my sound</b>.wav"
    answered = after(page, lambda: page.execute_script(DROP, name, base64.b64encode(TONE).decode()))
    told = page.find_element(By.ID, "heard").text
    assert told.startswith(f"{name}, as the model heard it")
    assert "Its pitch is about A3; it was moved up by 3.0 semitones" in told
    assert page.find_element(By.ID, "name").text == f"Like {name}"
    original = after(page, page.find_element(By.ID, "original").click)
    assert original["peak"] > 0.01
    assert original["mark"] != answered["mark"]
    assert after(page, page.find_element(By.ID, "matched").click)["mark"] == answered["mark"]
    slider = page.find_element(By.CSS_SELECTOR, "#macros input")
    assert after(page, lambda: turn(page, slider, -2.5))["mark"] != answered["mark"]


def test_a_file_that_can_not_be_matched_is_told_in_plain_words(page: webdriver.Chrome, tmp_path: Path):
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    (tmp_path / "silent.wav").write_bytes(wav(np.zeros(RATE)))
    (tmp_path / "good.wav").write_bytes(TONE)
    with (tmp_path / "large.wav").open("wb") as file:
        file.truncate(2**26 + 1)
    chooser = page.find_element(By.ID, "file")
    for name, said in (
        (
            "broken.wav",
            "broken.wav: The sound can't be read: Format not recognised. What to do: take another: any of wav",
        ),
        ("silent.wav", "silent.wav: The sound is silent"),
        ("large.wav", "large.wav is too large. Take a file of up to 64 MiB."),
    ):
        chooser.send_keys(str(tmp_path / name))
        until(page, f"document.querySelector('#told').textContent.startsWith('{said[:20]}')")
        assert page.find_element(By.ID, "told").text.startswith(said)
    assert all("status of 400" in message for message in errors(page))  # the browser's own note that it was refused
    after(page, lambda: chooser.send_keys(str(tmp_path / "good.wav")))
    assert page.find_element(By.ID, "told").text == ""


def test_a_folder_that_is_dropped_is_said_to_be_one(page: webdriver.Chrome, tmp_path: Path):
    (tmp_path / "sounds").mkdir()
    data = {"items": [], "files": [str(tmp_path / "sounds")], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        page.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, "x": 200, "y": 200, "data": data})
    until(page, "document.querySelector('#told').textContent.startsWith('sounds ')")
    assert page.find_element(By.ID, "told").text == "sounds can't be read. If it is a folder, drop one of its files."


def test_names_that_hold_html_are_text(page: webdriver.Chrome):
    hostile = next(dot for dot in dots(page) if dot.get_attribute("aria-label") == HOSTILE)
    page.execute_script("arguments[0].focus()", hostile)
    hostile.send_keys(Keys.ENTER)
    for place in ("name", "pointed"):
        assert page.find_element(By.ID, place).text == HOSTILE
    assert page.find_elements(By.TAG_NAME, "img") == []


@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_is_wider_than_the_screen(page: webdriver.Chrome, width: int):
    resize(page, width)
    page.refresh()
    page.find_element(By.TAG_NAME, "h1").click()
    after(page, lambda: page.execute_script(DROP, LONG, base64.b64encode(TONE).decode()))
    for dot in [dot for dot in dots(page) if dot.get_attribute("aria-label") in (LONG, HOSTILE)]:
        page.execute_script("arguments[0].focus()", dot)
        dot.send_keys(Keys.ENTER)
        assert page.find_element(By.ID, "pointed").is_displayed()
        assert page.execute_script("return innerWidth") == width
        assert page.execute_script("return document.scrollingElement.scrollWidth") <= width
        assert page.execute_script(OVERFLOW) == []


def test_text_stands_out_from_its_ground(page: webdriver.Chrome):
    left, _ = apart(page)
    page.execute_script("arguments[0].focus()", left)
    text = "const s = getComputedStyle(arguments[0]); return [s.color, s.backgroundColor]"
    for scheme in ("light", "dark"):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        page.execute_script("document.querySelector('#told').classList.add('bad')")
        ground = page.execute_script("return getComputedStyle(document.body).backgroundColor")
        for selector in ("p", ".small", "#name", "#pointed", "#told", "button:disabled", "label.act", "#macros label"):
            for found in page.find_elements(By.CSS_SELECTOR, selector):
                ink, paper = page.execute_script(text, found)
                assert contrast(ink, ground if paper == "rgba(0, 0, 0, 0)" else paper) >= 4.5, (scheme, selector)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "//etc/passwd", "/explorer.css/../explorer.py"]
)
def test_the_server_gives_no_other_file(address: str, path: str):
    connection = http.client.HTTPConnection(*address.removeprefix("http://").rstrip("/").split(":"))
    connection.putrequest("GET", path)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 404
    assert b"root:" not in answer.read()
    connection.close()
