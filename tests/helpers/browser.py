"""Headless Chromium for pages on disk and on localhost, driven by Selenium."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from programs import require
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from waiting import wait_until

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # required when run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--mute-audio",
)
# no requests except to files and localhost
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
# elements that are wider than the screen
OVERFLOW = """
return [...document.querySelectorAll("body *")].filter((part) => {
  const inside = part.closest(".wide, pre");
  return part.getBoundingClientRect().right > innerWidth + 0.5 && (!inside || inside === part);
}).map((part) => part.outerHTML.slice(0, 200))
"""


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[webdriver.Chrome]:
    """Start a browser with an empty profile in a folder; skip the test if none is installed."""
    require("chromium", "chromedriver")
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, OFFLINE, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    driver = webdriver.Chrome(options, Service("/usr/bin/chromedriver", env=environment))
    try:
        yield driver
    finally:
        driver.quit()


def resize(driver: webdriver.Chrome, width: int, height: int = 900) -> None:
    """Emulate a screen of this size in pixels; a headless window cannot be as narrow as a phone."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def errors(driver: webdriver.Chrome) -> list[str]:
    """Return errors and warnings of the console since the last call."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def until(driver: webdriver.Chrome, condition: str) -> None:
    """Wait until a condition in JavaScript holds."""
    wait_until(lambda: driver.execute_script(f"return {condition}"), condition)


def contrast(first: str, second: str) -> float:
    """Compute the contrast ratio of two colours, by WCAG 2.2."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)
