"""Per-item result cache; an interrupted job resumes after the last completed item."""

import json
import zlib
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from flowsynth.core import integrity
from flowsynth.core.code_digest import digest
from flowsynth.core.disk_space import full_disk_as_one_error
from flowsynth.core.provenance import versions, write_text


class ResultCache:
    """Results of completed items, in a hidden file next to the output file.

    The first line identifies what the results depend on; each further line is one item with its checksum. Results of
    other settings, versions or code are discarded, and so are damaged lines.

    Args:
        path: Output file of the job.
        files: Input files that the results depend on.
        code: Modules that the results depend on, including their imports.
        settings: Settings that the results depend on.
    """

    def __init__(self, path: Path, files: Sequence[Path], code: Sequence[Path], **settings: object):
        self.path = path.with_name(f".{path.name}.progress.jsonl")
        hashes = [integrity.sha256(file) for file in files]
        header = json.dumps({"versions": versions(), "files": hashes, "code": digest(*code), **settings})
        text = self.path.read_text(encoding="utf-8", errors="replace") if self.path.exists() else ""
        first, *lines = text.split("\n")
        self.results: dict[str, list[float]] = {}
        if first == header:
            self.results = dict(item for line in lines if (item := _parse(line)))
        write_text(self.path, "".join(f"{line}\n" for line in [header, *map(_line, self.results.items())]))

    def get(self, name: str, inputs: bytes, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the result of an item, computing it if it is not cached.

        Args:
            name: Id of the item.
            inputs: Further inputs that the result depends on.
            compute: Computes the result.
        """
        key = f"{name} {sha256(inputs).hexdigest()}"
        if key not in self.results:
            self.results[key] = compute().tolist()
            with full_disk_as_one_error(self.path), self.path.open("a", encoding="utf-8") as file:
                file.write(f"{_line((key, self.results[key]))}\n")
        return np.array(self.results[key], dtype=np.float32)

    def remove(self) -> None:
        """Delete the cache once the output file is complete."""
        self.path.unlink()


def _line(item: tuple[str, list[float]]) -> str:
    """Write an item as a line: its checksum and its JSON text."""
    text = json.dumps(item)
    return f"{zlib.crc32(text.encode()):08x} {text}"


def _parse(line: str) -> tuple[str, list[float]] | None:
    """Read an item from a line; None if the line is damaged."""
    checksum, _, text = line.partition(" ")
    if not text or checksum != f"{zlib.crc32(text.encode()):08x}":
        return None
    key, result = json.loads(text)
    return key, result
