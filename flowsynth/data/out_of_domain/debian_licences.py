"""Licences of files of installed Debian packages."""

import re
from fnmatch import fnmatch
from pathlib import Path

DOC = Path("/usr/share/doc")


def licence(package: str, name: str, doc: Path = DOC) -> str:
    """Look up the short licence name of a file in the ``copyright`` file of its package, or return ``unknown``.

    The last paragraph with a matching pattern applies, else the one for all files. Source and installed folders may
    differ, so only file names are compared, and patterns for whole folders are ignored.

    Args:
        package: Name of the package.
        name: File name, without its folder.
        doc: Folder of the documentation of packages.

    References:
        Debian, "Machine-readable debian/copyright file", version 1.0.
    """
    try:
        text = (doc / package / "copyright").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "unknown"
    short_name = "unknown"
    for paragraph in re.split(r"\n\s*\n", text):
        fields = {m[1]: m[2] for m in re.finditer(r"^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)", paragraph, re.MULTILINE)}
        patterns = fields.get("Files", "").split()
        names = [pattern.rsplit("/")[-1] for pattern in patterns if pattern == "*" or not pattern.endswith("/*")]
        if any(fnmatch(name, pattern) for pattern in names):
            short_name = fields.get("License", "unknown").strip().splitlines()[0]
    return short_name
