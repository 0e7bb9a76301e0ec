"""Debian packages of files; without dpkg, and with one that fails, there is none."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowsynth.core import debian

DPKG = """#!/bin/sh
case "$1 $2" in
"-S /usr/lib/x.so") printf 'diversion by other from: /usr/lib/x.so\nother: /usr/lib/x.so.1\nx:amd64, y: /usr/lib/x.so\n';;
"-W -f") test "$4" = x && printf 1.2-3;;
esac
"""


@pytest.fixture(autouse=True)
def no_cache() -> Iterator[None]:
    for function in (debian.package_of, debian.version):
        function.cache_clear()
    yield
    for function in (debian.package_of, debian.version):
        function.cache_clear()


def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    (tmp_path / "dpkg-query").write_text(script)
    (tmp_path / "dpkg-query").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


def test_package_and_version_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    install(tmp_path, monkeypatch, DPKG)
    assert debian.package_version(Path("/usr/lib/x.so")) == "x 1.2-3"
    assert debian.package_version(Path("/usr/lib/z.so")) == ""
    assert debian.version("z") == "unknown"


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 2\n", "#!/bin/sh\nexec sleep 20\n", "no program"])
def test_a_failing_dpkg_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str):
    install(tmp_path, monkeypatch, script)
    monkeypatch.setattr(debian, "TIMEOUT", 0.2)
    assert debian.package_version(Path("/usr/lib/x.so")) == ""


def test_no_dpkg_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert debian.package_version(Path("/usr/lib/x.so")) == ""
    assert debian.version("x") == "unknown"
