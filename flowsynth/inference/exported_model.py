"""Export of a trained model with what applications need of its run, as one file; opening such a file.

An exported model is a checkpoint (`flowsynth.training.checkpoints`) with the additional entry ``run``: the data set and
the note, the values of the training presets with coarse spectrograms, among which the nearest preset is looked up, the
test presets with their latents, and the model card. `flowsynth.load` reads it as any checkpoint.
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
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import dataset
from flowsynth.training import checkpoints

POOL = (2, 4)  # bands and frames whose mean is stored: 640 bytes per preset for 64 x 80 bins
STEPS = 255  # of a quantised spectrogram


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
    if run is None:
        raise ValueError(f"{path} is not an exported model: expected a file written by flowsynth export")
    synth, _ = dataset(run["dataset"])
    train, test = run["train"], run.get("test")
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
        note=Note(**run["note"]),
        level=run["level"],
        name=run["name"],
        card=run["card"],
        train_values=train["values"],
        train_coarse=train["coarse"],
        train_range=tuple(train["range"]),
        test=presets,
    )
