"""Disks that are full, or become full while a file is written."""

from pathlib import Path

import numpy as np
import pandas as pd
from bad_inputs import bad_input
from full_disk import file_size_limit, free_space

from flowsynth.core import hdf5
from flowsynth.core.disk_space import require_space
from flowsynth.core.provenance import write_csv
from flowsynth.core.result_cache import ResultCache

MEBIBYTE = 2**18  # of 32-bit numbers
REMEDY = "free some space there, or choose a smaller budget, and repeat the command"


def write_items(path: Path) -> None:
    """Write 8 MiB."""
    with hdf5.writing(path, [str(number) for number in range(8)], np.zeros((8, 2)), "ab", {}) as file:
        audio = hdf5.add_items(file, "audio", (MEBIBYTE,))
        for row in range(8):
            audio[row] = np.ones(MEBIBYTE)


@bad_input(
    "Disk", "no space for a data set", "audio: no space (10.0 MiB needed, 5.0 MiB free): ", REMEDY, error=OSError
)
def no_space_for_a_folder(folder: Path) -> None:
    with free_space(5 * 2**20):
        require_space(folder / "audio", 10 * 2**20)


@bad_input(
    "Disk", "no space for a file", "audio/0.h5: no space (8.0 MiB needed, 7.0 MiB free): ", REMEDY, error=OSError
)
def no_space_for_a_file(folder: Path) -> None:
    with free_space(7 * 2**20):
        write_items(folder / "audio" / "0.h5")


@bad_input("Disk", "it fills while audio is written", "0.h5: no space (file too large): ", REMEDY, error=OSError)
def fills_during_items(folder: Path) -> None:
    with file_size_limit(3 * 2**20):
        write_items(folder / "0.h5")


@bad_input("Disk", "it fills while a table is written", "a.csv: no space (file too large): ", REMEDY, error=OSError)
def fills_during_table(folder: Path) -> None:
    with file_size_limit(10_000):
        write_csv(pd.DataFrame({"value": np.arange(10_000)}), folder / "a.csv")


@bad_input("Disk", "it fills during a search", "progress.jsonl: no space (file too large): ", REMEDY, error=OSError)
def fills_during_search(folder: Path) -> None:
    cache = ResultCache(folder / "predictions.h5", [], [Path(__file__)])
    with file_size_limit(10_000):
        for number in range(1000):
            cache.get(str(number), b"", lambda: np.zeros(16))
