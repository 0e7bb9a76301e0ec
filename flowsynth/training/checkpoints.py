"""Fitted models as files, which load without trust: weights and plain values, no code."""

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
        model: To write.
        name: Of the model.
        names: Of the parameters that it infers.
        settings: What it was fitted with; kept in the file with the versions and the commit.
        path: Of the checkpoint.
    """
    checkpoint = {
        "model": name,
        "arguments": {"mels": model.mels, "frames": model.frames, "parameters": len(names), "size": asdict(model.size)},
        "names": list(names),
        "state": {key: value.cpu().contiguous() for key, value in model.state_dict().items()},
        "maker": maker(**settings),
    }
    # a file object, not its path: torch would put the temporary name into the file
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        torch.save(checkpoint, file)


def load(path: Path) -> tuple[models.Model, list[str]]:
    """Load a fitted model.

    Args:
        path: Of a checkpoint written by `save`.

    Returns:
        The model, ready to infer, and the names of the parameters that it infers.

    Raises:
        ValueError: If it is damaged, or was written by code whose model of that name is another one.
    """
    try:
        checkpoint = torch.load(path, weights_only=True, map_location="cpu")
        arguments = dict(checkpoint["arguments"])
        model = models.find(checkpoint["model"])(**{**arguments, "size": Size(**arguments["size"])})
        for name, buffer in model.named_buffers():
            if name in checkpoint["state"]:  # else it is one that is made anew
                buffer.resize_(checkpoint["state"][name].shape)  # a control holds as many presets as it was given
        model.load_state_dict(checkpoint["state"])
    except (RuntimeError, KeyError, TypeError, EOFError, UnpicklingError) as error:
        raise ValueError(
            f"{path} is damaged, or was written by another version of this code: train it again. "
            f"{type(error).__name__}: {f'{error}'.strip():.200}"
        ) from error
    return model.eval(), checkpoint["names"]


def maker_of(path: Path) -> dict[str, object]:
    """What made a checkpoint: versions, commit and settings."""
    return dict(torch.load(path, weights_only=True, map_location="cpu")["maker"])
