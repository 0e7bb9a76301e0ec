"""Checkpoints of fitted models: weights and plain values without code, so that untrusted files are safe to load."""

from dataclasses import asdict
from pathlib import Path
from pickle import UnpicklingError

import torch

from flowsynth.core.provenance import atomic_write, maker
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size


def save(model: models.Model, name: str, names: tuple[str, ...], settings: dict[str, object], path: Path) -> None:
    """Write a fitted model.

    Args:
        model: Fitted model.
        name: Name of the model.
        names: Names of the inferred parameters.
        settings: Training settings, stored together with the versions and the commit.
        path: Path of the checkpoint.
    """
    checkpoint = {
        "model": name,
        "arguments": {"mels": model.mels, "frames": model.frames, "parameters": len(names), "size": asdict(model.size)},
        "names": list(names),
        "state": {key: value.cpu().contiguous() for key, value in model.state_dict().items()},
        "maker": maker(**settings),
    }
    # torch stores the file name if given a path, so pass a file object
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        torch.save(checkpoint, file)


def load(path: Path) -> tuple[models.Model, list[str]]:
    """Load a fitted model.

    Args:
        path: Checkpoint written by `save`.

    Returns:
        The model in evaluation mode, and the names of the inferred parameters.

    Raises:
        ValueError: If the checkpoint is damaged, or does not match this version of the model.
    """
    try:
        checkpoint = torch.load(path, weights_only=True, map_location="cpu")
        arguments = dict(checkpoint["arguments"])
        model = models.find(checkpoint["model"])(**{**arguments, "size": Size(**arguments["size"])})
        for name, buffer in model.named_buffers():
            if name in checkpoint["state"]:  # non-persistent buffers are not stored
                buffer.resize_(checkpoint["state"][name].shape)  # a control stores its training presets
        model.load_state_dict(checkpoint["state"])
    except (RuntimeError, KeyError, TypeError, EOFError, UnpicklingError) as error:
        raise ValueError(
            f"{path} is damaged or was written by another version of the code; train the model again. "
            f"{type(error).__name__}: {f'{error}'.strip():.200}"
        ) from error
    return model.eval(), checkpoint["names"]


def read_maker(path: Path) -> dict[str, object]:
    """Read the provenance of a checkpoint: versions, commit and settings."""
    return dict(torch.load(path, weights_only=True, map_location="cpu")["maker"])
