"""What Debian knows of the files of a package: its version, and under which licence each is."""

import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

DOC = Path("/usr/share/doc")


def version(package: str) -> str:
    """Version of an installed package, or ``unknown``."""
    try:
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
    except FileNotFoundError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def licence(package: str, name: str, doc: Path = DOC) -> str:
    """Short name of the licence of a file, as the package's ``copyright`` has it, or ``unknown``.

    The last paragraph whose patterns have the file's name counts, else that of all files. Sources may lie in other folders
    than what is installed, so that only names are compared, and patterns of whole folders are passed over.

    Args:
        package: Name of the package.
        name: Of the file, without its folder.
        doc: Where packages leave their documentation.

    References:
        Debian, "Machine-readable debian/copyright file", version 1.0.
    """
    try:
        text = (doc / package / "copyright").read_text(errors="replace")
    except OSError:
        return "unknown"
    found = "unknown"
    for paragraph in re.split(r"\n\s*\n", text):
        fields = {m[1]: m[2] for m in re.finditer(r"^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)", paragraph, re.MULTILINE)}
        patterns = fields.get("Files", "").split()
        names = [pattern.rsplit("/")[-1] for pattern in patterns if pattern == "*" or not pattern.endswith("/*")]
        if any(fnmatch(name, pattern) for pattern in names):
            found = fields.get("License", "unknown").strip().splitlines()[0]
    return found
