"""Read a data set from its folder, without the workflow; also available as `flowsynth.datasets`.

`flowsynth.data.dataset_folder` writes the folder. Each file is verified against ``SHA256SUMS`` when it is first read, and it
may come from anybody, see `flowsynth.core.untrusted`.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from flowsynth.core import untrusted
from flowsynth.core.integrity import sha256
from flowsynth.core.readers import read_csv
from flowsynth.rendering.audio import read_checked
from flowsynth.synths.parameter_space import ParameterSpace

if TYPE_CHECKING:
    from flowsynth.data.dataset import Items

CHECKSUMS = "SHA256SUMS"
DESCRIPTION = "croissant.json"
PLACES = "results/*/{}/dataset"  # where the workflow writes data sets


@dataclass(frozen=True)
class Dataset:
    """One partition of a data set; `load` reads it.

    Attributes:
        folder: Folder of the data set.
        items: The presets of the partition, with lazily read features.
        names: Names of the presets.
        parameters: Names and kinds of the inferred parameters, the columns of `values`.
    """

    folder: Path
    items: "Items"
    names: list[str]
    parameters: ParameterSpace

    def __len__(self) -> int:
        return len(self.items)

    @property
    def ids(self) -> list[str]:
        """Ids of the presets."""
        return self.items.ids

    @property
    def sample_rate(self) -> int:
        """Sample rate of the audio in Hz."""
        return self.items.settings["sample_rate"]

    @property
    def values(self) -> Float[np.ndarray, "presets parameters"]:
        """Inferred parameters, in [0, 1]; the others are at their default (``parameters.csv``)."""
        return self.items.all().values.numpy()

    @property
    def mel(self) -> Float[np.ndarray, "presets mels frames"]:
        """Log-mel spectrograms."""
        return self.items.all().mel.numpy()

    @cached_property
    def audio(self) -> Float[np.ndarray, "presets samples"]:
        """Sounds, float32 of full scale 1; read when they are first used, and kept.

        Raises:
            ValueError: If a file is damaged, or a sound was rendered with other parameters.
        """
        paths = verified(self.folder, shards(self.folder, "audio"))
        return read_checked(paths, self.ids, self.parameters.names, self.values)[0]

    def torch(self) -> "Items":
        """Return the `torch.utils.data.Dataset` of pairs of log-mel spectrogram and inferred parameters."""
        return self.items


def load(
    name: str, split: str = "grouped", fold: int = 0, part: str = "train", folder: str | os.PathLike | None = None
) -> Dataset:
    """Load one partition of a data set.

    Args:
        name: Name of the data set, such as ``amsynth16``.
        split: Name of the split: ``grouped`` or ``random``.
        fold: Number of the fold.
        part: ``train``, ``valid`` or ``test``.
        folder: Folder of the data set; by default ``results/*/NAME/dataset`` in the working directory.

    Raises:
        FileNotFoundError: If there is no such data set, or a file of it is missing.
        ValueError: If several folders match, the folder has another data set, there is no such split, fold or
            partition, or a file is damaged.

    Examples:
        After ``snakemake dataset``::

            train = flowsynth.datasets.load("amsynth16", split="grouped", fold=0, part="train")
            train.mel, train.values, train.audio  # numpy arrays, one row per preset
            torch.utils.data.DataLoader(train.torch(), batch_size=32)
    """
    from flowsynth.data import dataset  # not imported before it is used: torch takes seconds to import

    path = find(name) if folder is None else Path(folder)
    (description,) = verified(path, [path / DESCRIPTION])
    described = _described_name(description)
    if described != name:
        raise ValueError(f"{path} is the data set {described}, expected {name}")
    splits = sorted(file.stem for file in path.glob("split/*.csv") if not file.stem.endswith("_leaks"))
    if split not in splits:
        raise ValueError(f"unknown split {split!r}, expected one of {splits} ({path / 'split'})")
    table, features = path / "split" / f"{split}.csv", shards(path, "features")
    verified(path, [path / "presets.csv", path / "parameters.csv", table, *features])
    parameters = read_parameters(path / "parameters.csv")
    items = dataset.part(table, fold, part, features, parameters.names)
    presets = read_csv(path / "presets.csv", usecols=["id", "name"], dtype=str, keep_default_na=False)
    return Dataset(path, items, presets.set_index("id")["name"][items.ids].tolist(), parameters)


def _described_name(path: Path) -> str:
    """Read the name of the data set from its description."""
    try:
        return str(json.loads(untrusted.read_utf8(path))["name"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} is no description of a data set ({error}): copy it again") from error


def find(name: str) -> Path:
    """Find the folder of a data set in the results of the working directory.

    Raises:
        FileNotFoundError: If there is none; the message lists the data sets that there are.
        ValueError: If there are several.
    """
    folders = sorted(path.parent for path in Path().glob(f"{PLACES.format(name)}/{CHECKSUMS}"))
    if not folders:
        others = sorted(str(path.parent) for path in Path().glob(f"{PLACES.format('*')}/{CHECKSUMS}"))
        raise FileNotFoundError(
            f"no data set in {Path.cwd() / PLACES.format(name)}, there are {others}: "
            "make it with snakemake dataset, or give its folder"
        )
    if len(folders) > 1:
        raise ValueError(f"several folders have the data set {name}: give one of {list(map(str, folders))} as folder")
    return folders[0]


def shards(folder: Path, kind: str) -> list[Path]:
    """List the HDF5 files of a kind, ``audio`` or ``features``, by ``SHA256SUMS``."""
    return [folder / name for name in checksums(folder) if name.startswith(f"{kind}/") and name.endswith(".h5")]


def read_parameters(path: Path) -> ParameterSpace:
    """Read the inferred parameters from ``parameters.csv``."""
    table = read_csv(path, columns=("name", "inferred", "kind", "steps"), dtype={"name": str})
    inferred = table[table["inferred"]]
    steps = [None if np.isnan(number) else int(number) for number in inferred["steps"]]
    return ParameterSpace(tuple(inferred["name"]), tuple(inferred["kind"]), tuple(steps))


def checksums(folder: Path) -> dict[str, str]:
    """Read ``SHA256SUMS``: checksum by file name, relative to the folder.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a line is damaged, or a name leads out of the folder.
    """
    sums = {}
    for number, line in enumerate(untrusted.read_utf8(folder / CHECKSUMS).splitlines(), start=1):
        checksum, separator, name = line.partition("  ")
        if not separator:
            raise ValueError(f"{folder / CHECKSUMS}:{number}: got {line!r:.60}, expected a checksum and a name")
        untrusted.path_inside(folder, name, folder / CHECKSUMS)
        sums[name] = checksum
    return sums


def verified(folder: Path, paths: Iterable[Path]) -> list[Path]:
    """Verify files of a data set against ``SHA256SUMS``, and return their paths.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file has another checksum, or none; is a link, or claims more than its size.
    """
    expected, paths = checksums(folder), list(paths)
    for path in paths:
        name = path.relative_to(folder).as_posix()
        untrusted.path_inside(folder, name, folder / CHECKSUMS)
        if path.exists() and not path.is_file():
            raise ValueError(f"{path} is no file: copy the data set again")
        actual = sha256(path)
        if actual != expected.get(name):
            raise ValueError(
                f"{path} is damaged: sha256 is {actual}, expected {expected.get(name)} ({CHECKSUMS}). Copy it again"
            )
        if path.suffix == ".h5":
            untrusted.check_hdf5(path)
        elif path.suffix == ".csv":
            untrusted.check_table(path)
    return paths
