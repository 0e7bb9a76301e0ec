"""Per-item result cache; an interrupted job resumes after the last completed item."""

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from flowsynth.core.code_digest import digest
from flowsynth.core.disk_space import full_disk_as_one_error
from flowsynth.core.provenance import versions, write_text


class ResultCache:
    """Results of completed items, in a hidden file next to the output file.

    The first line identifies what the results depend on; each further line is one item. Results of other settings,
    versions or code are discarded, and so is a truncated last line.

    Args:
        path: Output file of the job.
        files: Input files that the results depend on.
        code: Modules that the results depend on, including their imports.
        settings: Settings that the results depend on.
    """

    def __init__(self, path: Path, files: Sequence[Path], code: Sequence[Path], **settings: object):
        self.path = path.with_name(f".{path.name}.progress.jsonl")
        hashes = [sha256(file.read_bytes()).hexdigest() for file in files]
        header = json.dumps({"versions": versions(), "files": hashes, "code": digest(*code), **settings})
        first, *lines = (self.path.read_text() if self.path.exists() else "").split("\n")
        self.results: dict[str, list[float]] = {}
        if first == header:
            self.results = dict(map(json.loads, lines[:-1]))  # the last element is empty or a truncated line
        write_text(self.path, "".join(f"{line}\n" for line in [header, *map(json.dumps, self.results.items())]))

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
            with full_disk_as_one_error(self.path), self.path.open("a") as file:
                file.write(f"{json.dumps([key, self.results[key]])}\n")
        return np.array(self.results[key], dtype=np.float32)

    def remove(self) -> None:
        """Delete the cache once the output file is complete."""
        self.path.unlink()
