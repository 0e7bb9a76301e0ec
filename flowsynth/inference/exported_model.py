"""Export of a trained model with what applications need of its run, as one file; opening such a file.

An exported model is a checkpoint (`flowsynth.training.checkpoints`) with the additional entry ``run``: the data set,
the plugin and the note, the values of the training presets with coarse spectrograms, among which the nearest preset is
looked up, the test presets with their latents, and the model card. `flowsynth.load` reads it as any checkpoint.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import avg_pool2d

from flowsynth.core.provenance import atomic_write
from flowsynth.data.distances import log_mel_distances
from flowsynth.inference.run_model import RunModel
from flowsynth.inference.search_task import LogMel
from flowsynth.inference.trained_model import MapPresets, PlayableModel
from flowsynth.models.autoencoders.base import LatentModel
from flowsynth.models.base import Model
from flowsynth.rendering.host import PACKAGE_KEY, PLUGIN_KEYS, Note
from flowsynth.synths.spec import Synth, dataset
from flowsynth.training import checkpoints

POOL = (2, 4)  # bands and frames whose mean is stored: 640 bytes per preset for 64 x 80 bins
STEPS = 255  # of a quantised spectrogram
MAX_DURATION = 60.0  # seconds of a note


def export(model: RunModel, card: Mapping[str, Any], path: Path) -> None:
    """Write a model and what applications need of its run.

    Args:
        model: Model of a run.
        card: Model card of plain values, see `flowsynth.evaluation.model_card`; may be empty.
        path: Path of the file to write.
    """
    train = model.train.all()
    coarse = avg_pool2d(train.mel, POOL)
    low, high = math.log(model.features["floor"]), float(coarse.max())
    run: dict[str, Any] = {
        "dataset": f"{model.synth.name}{len(model.names)}",
        "name": model.name,
        "note": asdict(model.note),
        "level": model.level,
        "plugin": dict(model.plugin),
        "card": dict(card),
        "train": {
            "values": train.values,
            "coarse": ((coarse - low) / (high - low) * STEPS).round().clamp(0, STEPS).to(torch.uint8),
            "range": (low, high),
        },
    }
    if isinstance(model.model, LatentModel):
        presets = model.map_presets
        run["test"] = {
            "ids": presets.names.index.tolist(),
            "names": presets.names.tolist(),
            "values": torch.from_numpy(presets.values),
            "latents": torch.from_numpy(presets.latents),
        }
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        torch.save(checkpoints.read(model.checkpoint) | {"features": dict(model.features), "run": run}, file)


@dataclass(frozen=True)
class ExportedModel(PlayableModel):
    """A model from a file written by `export`.

    Attributes:
        card: Model card.
        train_values: Values of the training presets.
        train_coarse: Their spectrograms, pooled and quantised.
        train_range: Log-mel of the lowest and the highest step of the quantised spectrograms.
        test: Test presets with their latents; None if the model has no latent space.
    """

    card: Mapping[str, Any]
    train_values: Float[Tensor, "presets parameters"]
    train_coarse: UInt8[Tensor, "presets mels frames"]
    train_range: tuple[float, float]
    test: MapPresets | None

    @cached_property
    def _train_mel(self) -> Float[Tensor, "presets mels frames"]:
        low, high = self.train_range
        return low + (high - low) / STEPS * self.train_coarse.float()

    def nearest(self, mel: LogMel) -> Float[np.ndarray, " inferred"]:
        """Return the training preset with the closest coarse spectrogram."""
        coarse = avg_pool2d(torch.as_tensor(mel).float()[None], POOL)[0]
        return self.train_values[log_mel_distances(self._train_mel, coarse).argmin()].numpy()

    @property
    def map_presets(self) -> MapPresets:
        """Test presets with their latents; the model must have a latent space."""
        assert self.test is not None
        return self.test


def open_exported_model(path: Path, content: checkpoints.Checkpoint | None = None) -> ExportedModel:
    """Open an exported model.

    Args:
        path: File written by `export`.
        content: Its content, if it was read already.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not an exported model, or its data set is unknown.
    """
    model, features, provenance, run = content or checkpoints.load(path)
    if not isinstance(run, dict):
        raise ValueError(f"{path} is not an exported model: expected a file written by flowsynth export")
    synth, _ = dataset(str(run.get("dataset")))
    try:
        note, test = Note(**run["note"]), run.get("test")
        plugin = run.get("plugin", provenance.get("versions", {}))  # earlier versions had no entry for the plugin
        plugin = {key: value for key, value in plugin.items() if key in (*PLUGIN_KEYS, PACKAGE_KEY)}
        _check_note(note)
        _check_data(run, model, synth)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{path} has damaged data of its run ({reason}): export the model again") from error
    presets = None
    if test:
        names = pd.Series(test["names"], index=pd.Index(test["ids"], name="id"), name="name")
        presets = MapPresets(names, test["values"].numpy(), test["latents"].numpy())
    return ExportedModel(
        checkpoint=path,
        model=model,
        features=features,
        provenance=provenance,
        synth=synth,
        note=note,
        level=run["level"],
        name=run["name"],
        plugin=plugin,
        card=run.get("card", {}),
        train_values=run["train"]["values"],
        train_coarse=run["train"]["coarse"],
        train_range=tuple(run["train"]["range"]),
        test=presets,
    )


def _check_note(note: Note) -> None:
    """Require a note that takes a bounded time to render."""
    whole = {"sample_rate": 768_000, "block_size": 2**16, "pitch": 127, "velocity": 127}
    limits: dict[str, float] = whole | {"held": MAX_DURATION, "duration": MAX_DURATION}
    for field, limit in limits.items():
        value = getattr(note, field)
        kind = int if field in whole else int | float
        if isinstance(value, bool) or not isinstance(value, kind) or not 0 < value <= limit:
            raise ValueError(f"{field} of the note = {value!r:.60}, expected up to {limit}")


def _check_data(run: Mapping[str, Any], model: Model, synth: Synth) -> None:
    """Require presets and spectrograms of the shapes that the model has."""
    unknown = set(model.parameter_space.names) - set(synth.names)
    if unknown:
        raise ValueError(f"{synth.name} has no parameters {sorted(unknown)[:5]}")
    train, test, width = run["train"], run.get("test", {}), len(model.parameter_space)
    count = len(train["values"])
    shapes = {"values": (count, width), "coarse": (count, model.mels // POOL[0], model.frames // POOL[1])}
    _check_shapes("train", train, shapes)
    numbers = [run["level"], *train["range"]]
    if not all(isinstance(number, float) and math.isfinite(number) for number in numbers) or len(numbers) != 3:
        raise ValueError(f"level and range of spectrograms: {numbers!r:.60}, expected three numbers")
    if test or isinstance(model, LatentModel):
        if not isinstance(model, LatentModel):
            raise ValueError("test presets of a model without a latent space")
        _check_shapes("test", test, {"values": (len(test["ids"]), width), "latents": (len(test["ids"]), model.latent)})
    ids, names = test.get("ids", []), test.get("names", [])
    texts = [run["name"], *ids, *names, *run.get("plugin", {}).values()]
    if not all(isinstance(text, str) for text in texts) or len(ids) != len(names):
        raise ValueError("a name or an id of a preset is missing, or no text")


def _check_shapes(part: str, tensors: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> None:
    for name, shape in shapes.items():
        tensor = tensors[name]
        if tuple(tensor.shape) != shape or not tensor.isfinite().all():
            raise ValueError(f"{name} of {part} are of shape {tuple(tensor.shape)}, expected finite numbers of {shape}")
