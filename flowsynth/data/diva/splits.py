"""Reader of the published split."""

import io
import re
import zipfile
from pathlib import Path

from flowsynth.data.diva import numpy_objects, safe_pickle
from flowsynth.data.diva.corpus import DAMAGED, parse_preset_name, read_header
from flowsynth.data.splits import PARTS

MAX_BYTES = 2**26  # of the pickle of a split; its names of 11,000 files are about 1 MB


def read_split(path: Path) -> dict[str, str]:
    """Read the published split: the partition of each preset, by preset name.

    The file holds three data loaders, for training, validation and test, saved by PyTorch or numpy
    (``reference_split_64par_mel.th``, ``.npz``); the data set of each has a list of files.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the file is not a published split, a partition is empty, or a preset is duplicated.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: expected a file such as reference_split_64par_mel.th")
    try:
        loaders = numpy_objects.to_list(_read_objects(path.read_bytes()))
        if len(loaders) != len(PARTS):
            raise ValueError(f"got {len(loaders)} parts, expected {len(PARTS)}: {', '.join(PARTS)}")
        parts: dict[str, str] = {}
        for part, loader in zip(PARTS, loaders, strict=True):
            dataset = numpy_objects.get_attribute(loader, "dataset")
            files = numpy_objects.to_list(numpy_objects.get_attribute(dataset, "data_files"))
            if not files:
                raise ValueError(f"the part {part} is empty")
            for file in files:
                name = parse_preset_name(re.split(r"[/\\]", numpy_objects.to_text(file))[-1])
                if name in parts:
                    raise ValueError(f"duplicate preset {name} in {parts[name]} and {part}")
                parts[name] = part
    except DAMAGED as error:
        raise ValueError(f"{path} is not a published split: {error}") from error
    return parts


def _read_objects(data: bytes) -> object:
    """Read the objects in a file saved by PyTorch, in its old or new format, or by numpy."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as members:
            for member in members.infolist():
                if member.filename != "arr_0.npy" and not member.filename.endswith("/data.pkl"):
                    continue
                if member.file_size > MAX_BYTES:  # more is not read: a small archive may claim any size
                    raise ValueError(
                        f"{member.filename} has {member.file_size:,} bytes, expected at most {MAX_BYTES:,}"
                    )
                file = io.BytesIO(members.read(member))
                if member.filename == "arr_0.npy":
                    read_header(file)
                return safe_pickle.read(file)
            raise ValueError(f"got the members {members.namelist()}, expected arr_0.npy or data.pkl")
    file = io.BytesIO(data)
    # PyTorch's old format: magic number, version, system information, objects
    header = [safe_pickle.read(file) for _ in range(3)]
    if not (isinstance(header[0], int) and isinstance(header[1], int) and isinstance(header[2], dict)):
        raise ValueError("it does not begin with the header of PyTorch's old format")
    return safe_pickle.read(file)
