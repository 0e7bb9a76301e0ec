"""A real browser for pages on disk: Debian's Chromium without a window, driven by Selenium."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import programs
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # it runs as root here
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--mute-audio",
)
# no address but a file's is asked for
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND"


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser with an empty profile in a folder.

    Raises:
        Unavailable: If there is none and it can't be installed.
    """
    programs.install(("chromium", "chromedriver"), ("chromium", "chromium-driver"))
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
    """Have the page believe in a screen of that many pixels; a window without a screen can't be as narrow as a phone."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
