"""Checkpoints of fitted models: weights and plain values without code, so that untrusted files are safe to load."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch

from flowsynth.core import integrity
from flowsynth.core.progress import log
from flowsynth.core.provenance import atomic_write, maker
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.synths.parameter_space import ParameterSpace
from flowsynth.training.checkpoint_limits import AllocationLimit, LimitError, check_archive, check_content, check_sizes


class Checkpoint(NamedTuple):
    """Content of a checkpoint.

    Attributes:
        model: The model, in evaluation mode on the CPU.
        features: Spectrogram settings of the training, see `flowsynth.data.features.spectrogram_settings`.
        maker: Provenance: versions, commit, and training settings.
        run: What applications need of the run, in an exported model, see `flowsynth.inference.exported_model`; else None.
    """

    model: models.Model
    features: dict[str, Any]
    maker: dict[str, Any]
    run: dict[str, Any] | None


def save(
    model: models.Model, name: str, features: Mapping[str, Any], settings: Mapping[str, object], path: Path
) -> None:
    """Write a fitted model.

    Args:
        model: Fitted model.
        name: Name of the model.
        features: Spectrogram settings of the training; may be empty.
        settings: Training settings, stored together with the versions and the commit.
        path: Path of the checkpoint.
    """
    parameters, size = asdict(model.parameter_space), asdict(model.size)
    checkpoint = {
        "model": name,
        "arguments": {"mels": model.mels, "frames": model.frames, "parameters": parameters, "size": size},
        "features": dict(features),
        "state": {key: value.cpu().contiguous() for key, value in model.state_dict().items()},
        "maker": maker(**settings),
    }
    # torch stores the file name if given a path, so pass a file object
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        torch.save(checkpoint, file)


def load(path: Path) -> Checkpoint:
    """Load a fitted model.

    The parameters of a checkpoint without their kinds, as written by previous versions, are all continuous.

    Args:
        path: Checkpoint written by `save`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not a checkpoint, is truncated, contains a model that is not installed, was written
            by an incompatible version of the model, or claims more than a file of its size can hold.
    """
    content = read(path)
    writer = content["maker"]
    written = f"flowsynth {writer.get('flowsynth', 'unknown')}, commit {writer.get('commit', 'unknown')}"
    try:
        model_class = models.find(content["model"])
    except (ValueError, ImportError, KeyError) as error:
        raise ValueError(
            f"{path}: {type(error).__name__}: {error}. Install the package that offers the model, or the version that "
            f"wrote the checkpoint ({written})"
        ) from error
    try:
        arguments = content["arguments"]
        if isinstance(arguments["parameters"], int):
            log.warning("%s: no kinds of parameters, written by %s; all are taken as continuous", path, written)
            parameters = ParameterSpace.continuous(content["names"])
        else:
            parameters = ParameterSpace(**arguments["parameters"])
        check_sizes(content)
        with AllocationLimit(path.stat().st_size):
            model = model_class(**{**arguments, "parameters": parameters, "size": Size(**arguments["size"])})
        for name, buffer in model.named_buffers():
            if name in content["state"]:  # non-persistent buffers are not stored
                buffer.resize_(content["state"][name].shape)  # a control stores its training presets
        model.load_state_dict(content["state"])
    except LimitError as error:
        raise ValueError(f"{path} is not safe to load ({error}): don't use it") from error
    except (RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(
            f"{path} was written by another version of the model ({written}): install that version, or train the model "
            f"again. {_cause(error)}"
        ) from error
    return Checkpoint(model.eval(), content.get("features", {}), writer, content.get("run"))


def read_maker(path: Path) -> dict[str, object]:
    """Read the provenance of a checkpoint: versions, commit and settings."""
    return read(path)["maker"]


def read(path: Path) -> dict[str, Any]:
    """Read the content of a checkpoint, of which only the provenance is certain to exist."""
    integrity.verify(path)
    content = read_tensors(path)
    try:
        check_content(content, path.stat().st_size)
    except LimitError as error:
        raise ValueError(f"{path} is not safe to load ({error}): don't use it") from error
    if not isinstance(content, dict) or not isinstance(content.get("maker"), dict):
        raise ValueError(f"{path} is not a checkpoint of flowsynth: expected a file written by its training")
    return content


def read_tensors(path: Path, device: str | torch.device = "cpu") -> Any:
    """Read a file written by `torch.save`, and verify the checksums in it.

    Raises:
        ValueError: If the file is damaged, is no such file, or is compressed.
    """
    with path.open("rb") as file:
        try:
            check_archive(path)
            return torch.load(file, weights_only=True, map_location=device)
        except LimitError as error:
            raise ValueError(f"{path} is not safe to load ({error}): don't use it") from error
        except Exception as error:  # other files raise many kinds of errors
            raise ValueError(
                f"{path} is damaged or not a checkpoint ({_cause(error)}): {integrity.remedy(path)}"
            ) from error


def _cause(error: Exception) -> str:
    return f"{type(error).__name__}: {f'{error}'.strip():.200}"
