"""Debian packages that installed files belong to, where there is dpkg. They explain a file; its bits identify it."""

import subprocess
from functools import cache
from pathlib import Path

TIMEOUT = 10.0  # seconds; dpkg-query replies within one


def package_version(path: Path) -> str:
    """Return name and version of the package that installed a file, such as ``amsynth 1.13.2-1``; empty if none did."""
    package = package_of(path)
    return f"{package} {version(package)}" if package else ""


@cache
def package_of(path: Path) -> str:
    """Find the package that installed a file; empty if none did."""
    for line in _query("-S", str(path)).splitlines():
        packages, separator, file = line.partition(": ")
        if separator and file == str(path) and not packages.startswith("diversion by "):
            return packages.split(",")[0].split(":")[0]
    return ""


@cache
def version(package: str) -> str:
    """Get the version of an installed package, or ``unknown``."""
    return _query("-W", "-f", "${Version}", package).strip() or "unknown"


def _query(*arguments: str) -> str:
    """Query dpkg; a failure is an empty answer."""
    try:
        command = ["dpkg-query", *arguments]
        return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=TIMEOUT).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
