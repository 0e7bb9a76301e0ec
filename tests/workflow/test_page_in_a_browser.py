"""The page in a browser: it loads without errors, plays, switches sounds, and fits narrow and wide screens."""

from collections.abc import Iterator
from pathlib import Path

import pages
import pytest
from browser import OVERFLOW, browser, contrast, errors, resize, until
from project import Project
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from waiting import DEADLINE

pytestmark = pytest.mark.slow

OPEN_ALL = "document.querySelectorAll('details').forEach((part) => { part.open = true; })"
DURATIONS = """
const done = arguments[0];
const files = [...document.querySelectorAll("button.play")].map((button) => button.dataset.file);
Promise.all(files.map((file) => new Promise((resolve) => {
  const audio = new Audio(file);
  audio.addEventListener("loadedmetadata", () => resolve([file, audio.duration]));
  audio.addEventListener("error", () => resolve([file, null]));
}))).then(done);
"""
# The player is not an element of the page: a proxy exposes it, and makes it slow, so that no sound ends during a test.
SPY = """
window.Audio = new Proxy(Audio, { construct(type, options) {
  window.player = new type(...options);
  window.player.defaultPlaybackRate = window.player.playbackRate = 1 / 16;
  return window.player;
} })
"""
PLAYER = "return [player.src.split('/').slice(-3).join('/'), player.currentTime, player.paused, player.volume]"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with browser(tmp_path_factory.mktemp("browser")) as driver:
        driver.set_script_timeout(DEADLINE)
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SPY})
        yield driver


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "page"
    pages.build(folder)
    return folder


@pytest.fixture(params=["small", "of a run"])
def page(request: pytest.FixtureRequest, small: Path, finished: Project) -> Path:
    return small if request.param == "small" else finished.results / "page"


def visit(driver: webdriver.Chrome, page: Path, width: int = 1400) -> None:
    resize(driver, width)
    driver.get((page / "index.html").as_uri())
    driver.execute_script(OPEN_ALL)


def test_page_loads_without_errors_and_all_audio_plays(chromium: webdriver.Chrome, page: Path):
    visit(chromium, page)
    durations = chromium.execute_async_script(DURATIONS)
    assert len(durations) >= 9 or page.parent.name.startswith("small")
    assert {file: seconds for file, seconds in durations if seconds is None or abs(seconds - 4) > 0.1} == {}
    for picture in chromium.find_elements(By.TAG_NAME, "img"):
        chromium.execute_script("arguments[0].loading = 'eager'", picture)
    until(chromium, "[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert errors(chromium) == []


def test_another_sound_continues_at_same_position_and_loudness(chromium: webdriver.Chrome, page: Path):
    visit(chromium, page)
    group = chromium.find_element(By.CSS_SELECTOR, "details.group:has(button.play)")
    first, second = group.find_elements(By.CSS_SELECTOR, "button.play")[:2]
    first.click()
    until(chromium, "player.currentTime > 0.1")
    file, _, paused, volume = chromium.execute_script(PLAYER)
    assert (first.get_attribute("data-file").endswith(file), paused) == (True, False)
    assert volume == pytest.approx(float(first.get_attribute("data-volume")))
    second.click()
    until(chromium, "!player.paused && player.currentTime > 0")
    file, position, _, volume = chromium.execute_script(PLAYER)
    assert second.get_attribute("data-file").endswith(file)
    assert 0.1 < position < 3
    assert volume == pytest.approx(float(second.get_attribute("data-volume")))
    assert [button.get_attribute("aria-pressed") for button in (first, second)] == ["false", "true"]
    second.click()
    assert chromium.execute_script("return player.paused")
    assert second.get_attribute("aria-pressed") == "false"
    assert errors(chromium) == []


def test_keyboard_selects_and_plays_sounds(chromium: webdriver.Chrome, page: Path):
    visit(chromium, page)
    first, second = chromium.find_elements(By.CSS_SELECTOR, "details.group:first-of-type button.play")[:2]
    chromium.execute_script("arguments[0].focus()", first)
    chromium.switch_to.active_element.send_keys(Keys.SPACE)
    until(chromium, "!player.paused && player.currentTime > 0")
    chromium.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert chromium.switch_to.active_element == second
    assert second.get_attribute("aria-pressed") == "true"
    chromium.switch_to.active_element.send_keys(Keys.SPACE)
    assert chromium.execute_script("return player.paused")


@pytest.mark.parametrize("width", [360, 1400])
def test_no_element_is_wider_than_the_screen(chromium: webdriver.Chrome, page: Path, width: int):
    visit(chromium, page, width)
    assert chromium.execute_script("return innerWidth") == width
    assert chromium.execute_script("return document.scrollingElement.scrollWidth") <= width
    assert chromium.execute_script(OVERFLOW) == []


def test_a_table_is_sorted_by_the_column_that_is_clicked(chromium: webdriver.Chrome, finished: Project):
    visit(chromium, finished.results / "page")
    table = chromium.find_element(By.CSS_SELECTOR, "#tables table")
    (column,) = [
        number
        for number, head in enumerate(table.find_elements(By.CSS_SELECTOR, "thead th"))
        if head.text.startswith("Log-mel L1")
    ]
    for order in ("ascending", "descending"):
        table.find_elements(By.CSS_SELECTOR, "thead button")[column].click()
        rows = [
            row.find_elements(By.CSS_SELECTOR, "th, td") for row in table.find_elements(By.CSS_SELECTOR, "tbody tr")
        ]
        values = [float(cells[column].text.split(" ")[0]) for cells in rows]
        assert values == sorted(values, reverse=order == "descending")
        assert len({cells[0].text for cells in rows}) == 3


def test_html_in_names_is_shown_as_text(chromium: webdriver.Chrome, small: Path):
    visit(chromium, small)
    titles = [title.text for title in chromium.find_elements(By.TAG_NAME, "h3")]
    assert "“a <b onclick=alert(1)>”" in titles
    assert chromium.find_elements(By.CSS_SELECTOR, "b, td script, th script") == []
    assert "train: loss = <nan>" in chromium.find_element(By.CSS_SELECTOR, "td.missing").text


def test_text_has_sufficient_contrast(chromium: webdriver.Chrome, small: Path):
    """At least 4.5 to 1 (WCAG 2.2, AA), in light and dark mode."""
    for scheme in ("light", "dark"):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        visit(chromium, small)
        for selector in ("p", "p.small", "p.missing", "a", "thead th", "button.play", "pre"):
            style = (
                "const s = getComputedStyle(document.querySelector(arguments[0])); return [s.color, s.backgroundColor]"
            )
            ink, paper = chromium.execute_script(style, selector)
            if paper == "rgba(0, 0, 0, 0)":
                paper = chromium.execute_script("return getComputedStyle(document.body).backgroundColor")
            assert contrast(ink, paper) >= 4.5, (scheme, selector)
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
