"""What a long job has found for each sound, kept as it goes: a job that was stopped goes on behind the last of them."""

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from flowsynth.core.code_digest import digest
from flowsynth.core.provenance import versions, write_text


class Kept:
    """Values that were found for sounds, in a hidden file beside the one that is being made.

    The file has a line for what makes it, and one for each sound. What other settings, versions or code have found is not
    taken, and neither is a line that was cut short.

    Args:
        path: Of the file that is being made.
        files: That the values depend on.
        code: Modules that they depend on, with all that these import.
        settings: That they depend on.
    """

    def __init__(self, path: Path, files: Sequence[Path], code: Sequence[Path], **settings: object):
        self.path = path.with_name(f".{path.name}.progress.jsonl")
        hashes = [sha256(file.read_bytes()).hexdigest() for file in files]
        made = json.dumps({"versions": versions(), "files": hashes, "code": digest(*code), **settings})
        first, *lines = (self.path.read_text() if self.path.exists() else "").split("\n")
        self.found: dict[str, list[float]] = {}
        if first == made:
            self.found = dict(
                map(json.loads, lines[:-1])
            )  # behind the last end of a line there is nothing, or half a one
        write_text(self.path, "".join(f"{line}\n" for line in [made, *map(json.dumps, self.found.items())]))

    def find(self, name: str, given: bytes, make: Callable[[], np.ndarray]) -> np.ndarray:
        """Give the values of a sound; they are made if they are not there.

        Args:
            name: Of the sound.
            given: What else they depend on.
            make: Makes them.
        """
        key = f"{name} {sha256(given).hexdigest()}"
        if key not in self.found:
            self.found[key] = make().tolist()
            with self.path.open("a") as file:
                file.write(f"{json.dumps([key, self.found[key]])}\n")
        return np.array(self.found[key], dtype=np.float32)

    def remove(self) -> None:
        """Forget it all: the file is made."""
        self.path.unlink()
