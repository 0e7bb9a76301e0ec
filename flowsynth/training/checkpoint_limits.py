"""Limits on checkpoints from others: a small file must not claim much memory. `flowsynth.training.checkpoints` reads them."""

import math
import zipfile
from collections.abc import Callable, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, strided
from torch.overrides import TorchFunctionMode

ZIP_MAGIC = b"PK\x03\x04"
ITEM_SIZE = 4  # bytes of a number
BASE_SIZE = 2**26  # bytes that any model may allocate
SIZE_FACTOR = 4  # times the size of its file that a model may allocate: weights, constants, and what initialises them
BASE_TEXT = 2**16  # characters and values that any file may have
COPIES = (torch.tensor, torch.as_tensor)  # functions of numbers, not of a shape: as large as what is there already
MAX_BINS = 2**24  # of a spectrogram or of mel filters
MAX_LAYERS = 64  # of a network with fewer tensors than that


class LimitError(ValueError):
    """Raised for a checkpoint that claims more than a file of its size can have."""


def check_archive(path: Path) -> None:
    """Check that a file is an archive as PyTorch writes it, undamaged, whose content takes no more space than the file.

    PyTorch itself ignores the checksums in it.

    Raises:
        ValueError: If it is another file, or damaged.
        LimitError: If its content is compressed.
    """
    with path.open("rb") as file:
        if file.read(len(ZIP_MAGIC)) != ZIP_MAGIC:
            raise ValueError("it is no archive of PyTorch")
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            compressed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
            if compressed or sum(member.file_size for member in members) > path.stat().st_size:
                raise LimitError("its content is compressed")
            damaged = archive.testzip()
    if damaged:
        raise ValueError(f"wrong checksum of {damaged}")


def check_content(content: object, file_size: int) -> None:
    """Check that the content of a checkpoint is plain values and tensors, and as large as the file.

    Values may share parts, so a small file may describe a value that takes years to print or to copy.

    Raises:
        LimitError: If it is larger than the file, or has values of other types.
    """
    left, values = BASE_TEXT + file_size, [content]
    while values:
        value = values.pop()
        left -= 1
        match value:
            case str():
                left -= len(value)
            case dict():
                values += [*value.keys(), *value.values()]
            case list() | tuple():
                values += value
            case Tensor():
                plain = value.layout == strided and value.device.type == "cpu"
                if not plain or value.nbytes > value.untyped_storage().nbytes():
                    raise LimitError("it has tensors that are larger than their memory")
            case None | int() | float():
                pass
            case _:
                raise LimitError(f"it has a value of type {type(value).__name__}")
        if left < 0 or len(values) > BASE_TEXT + file_size:
            raise LimitError("its content is larger than the file")


def check_sizes(content: Mapping[str, Any]) -> None:
    """Check sizes of networks and spectrogram settings of a checkpoint.

    Raises:
        LimitError: If a size is impossible.
    """
    arguments, state, features = content["arguments"], content["state"], content.get("features", {})
    sizes = {key: arguments[key] for key in ("mels", "frames")} | dict(arguments["size"])
    del sizes["dropout"]
    sizes |= {key: features.get(key, 1) for key in ("n_mels", "n_fft", "hop_length", "sample_rate")}
    sizes |= {"feature frames": features.get("frames", 1)}
    for key, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MAX_BINS:
            raise LimitError(f"{key} = {size!r:.60}, expected a whole number from 1 to {MAX_BINS}")
    products = ("mels", "frames"), ("n_mels", "n_fft"), ("n_mels", "feature frames")
    layers = max(MAX_LAYERS, len(state))
    if any(sizes[a] * sizes[b] > MAX_BINS for a, b in products) or max(sizes["layers"], sizes["mlp_layers"]) > layers:
        raise LimitError(f"sizes {sizes}, expected spectrograms of up to {MAX_BINS} bins and up to {layers} layers")


class AllocationLimit(TorchFunctionMode):
    """Context in which PyTorch creates tensors of a limited total size.

    Args:
        file_size: Size in bytes of the file that asks for them.
    """

    def __init__(self, file_size: int):
        super().__init__()
        self._left = BASE_SIZE + SIZE_FACTOR * file_size

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Check the size that a function is called with before it allocates it; called by PyTorch for each function.

        Raises:
            LimitError: If the limit is exceeded.
        """
        options = dict(kwargs or {})
        if func in COPIES:
            return func(*args, **options)
        shape = options.get("size", args[0] if args and isinstance(args[0], list | tuple) else args)
        sizes = list(takewhile(lambda size: isinstance(size, int), shape))  # of a shape, or the limits of a range
        self._left -= ITEM_SIZE * max(math.prod(sizes), *sizes, 0) if sizes else 0
        if self._left < 0:
            raise LimitError("its networks are many times as large as the file")
        return func(*args, **options)
