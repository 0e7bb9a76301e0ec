"""Read the audio of items, verified against the parameters that it was rendered with."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from flowsynth.core import hdf5
from flowsynth.core.progress import log


def read_audio(paths: Sequence[Path], ids: Sequence[str]) -> dict[str, Float[np.ndarray, " samples"]]:
    """Read sounds by id from several audio files.

    Args:
        paths: Audio files.
        ids: Ids of the sounds.

    Returns:
        Audio by id, float32 of full scale 1.

    Raises:
        ValueError: If a sound is in none of the files.
    """
    audio = hdf5.read_items(paths, "audio", ids)
    missing = [name for name in ids if name not in audio]
    if missing:
        raise ValueError(
            f"{len(missing)} items, the first of them {missing[0]}, are in none of {list(map(str, paths))}"
        )
    return audio


def read_checked(
    paths: Sequence[Path],
    ids: Sequence[str],
    names: Sequence[str],
    values: Float[np.ndarray, "items parameters"],
) -> tuple[Float[np.ndarray, "items samples"], int]:
    """Read the audio of items and verify the parameters that it was rendered with.

    Args:
        paths: Audio files.
        ids: Item ids, in the order of the result.
        names: Column names of `values`; other parameters are not compared.
        values: Expected parameter values of the items, in [0, 1].

    Returns:
        The audio, float32 of full scale 1, and the sample rate in Hz.

    Raises:
        ValueError: If an item has no audio, sample rates differ, or an item was rendered with other parameters.
    """
    positions = {name: position for position, name in enumerate(ids)}
    rates: dict[int, Path] = {}
    for path in paths:
        with hdf5.reading(path) as file:
            rates[int(hdf5.settings(file)["sample_rate"])] = path
            columns = [hdf5.names(file).index(name) for name in names]
            rows = [(row, positions[name]) for row, name in enumerate(hdf5.ids(file)) if name in positions]
            rendered, status = file["values"][:][:, columns], file["status"].asstr()[:]
        if any(not np.array_equal(rendered[row], values[position]) for row, position in rows):
            raise ValueError(f"{path} holds sounds of other parameters: delete it and run again")
        failed = sum(status[row] == "failed" for row, _ in rows)
        if failed:
            log.warning("%s: %d of %d renderings failed; they count as silence", path, failed, len(rows))
    if len(rates) > 1:
        listed = ", ".join(f"{path} has {rate} Hz" for rate, path in rates.items())
        raise ValueError(f"sounds of different sample rates: {listed}")
    audio = read_audio(paths, ids)
    return np.stack([audio[name] for name in ids]), next(iter(rates))
