"""The split that was published: which preset is in which part."""

import io
import re
import zipfile
from pathlib import Path

from flowsynth.data.diva import numpy_objects, safe_pickle
from flowsynth.data.diva.corpus import DAMAGED, header, preset_of
from flowsynth.data.splits import PARTS


def read_split(path: Path) -> dict[str, str]:
    """Read the published split: the part of each preset by its name.

    The file holds three loaders of data, for training, validation and test, as PyTorch or numpy keeps objects
    (``reference_split_64par_mel.th``, ``.npz``); each has a data set with a list of files.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file, a part is empty, or a preset stands twice.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}: expected a file such as reference_split_64par_mel.th")
    try:
        loaders = numpy_objects.elements(_objects(path.read_bytes()))
        if len(loaders) != len(PARTS):
            raise ValueError(f"got {len(loaders)} parts, expected {len(PARTS)}: {', '.join(PARTS)}")
        listed: dict[str, str] = {}
        for part, loader in zip(PARTS, loaders, strict=True):
            files = numpy_objects.elements(
                numpy_objects.attribute(numpy_objects.attribute(loader, "dataset"), "data_files")
            )
            if not files:
                raise ValueError(f"the part {part} is empty")
            for file in files:
                name = preset_of(re.split(r"[/\\]", numpy_objects.text(file))[-1])
                if name in listed:
                    raise ValueError(f"the preset {name} stands in {listed[name]} and again in {part}")
                listed[name] = part
    except DAMAGED as error:
        raise ValueError(f"{path} is no published split: {error}") from error
    return listed


def _objects(data: bytes) -> object:
    """What a file of PyTorch, of its old format or of the new one, or of numpy holds."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as members:
            for name in members.namelist():
                file = io.BytesIO(members.read(name))
                if name == "arr_0.npy":
                    header(file)
                if name == "arr_0.npy" or name.endswith("/data.pkl"):
                    return safe_pickle.read(file)
            raise ValueError(f"it has {members.namelist()}, expected arr_0 or data.pkl")
    file = io.BytesIO(data)
    # the old format: a number that tells it, its version, the machine's sizes, and then the objects
    heading = [safe_pickle.read(file) for _ in range(3)]
    if not (isinstance(heading[0], int) and isinstance(heading[1], int) and isinstance(heading[2], dict)):
        raise ValueError("it does not begin as PyTorch's old format does")
    return safe_pickle.read(file)
