"""A trained model together with the synthesizer, note, spectrogram settings and data of its run.

All settings are read from the files of the run; none has to be configured again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from flowsynth.core import hdf5
from flowsynth.core.layout import SystemPaths, find_systems
from flowsynth.core.mel_filters import log_mel_distance
from flowsynth.data.dataset import Items, part
from flowsynth.data.features import DEFAULTS
from flowsynth.data.out_of_domain.collections import median_level
from flowsynth.data.presets import read_table
from flowsynth.inference.predict import predict
from flowsynth.inference.search_task import LogMel, log_mel_extractor
from flowsynth.metrics import PRIMARY_METRIC
from flowsynth.models import base as models
from flowsynth.models.controls.nearest import Nearest
from flowsynth.models.registry import is_control, model_of
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import Renderer
from flowsynth.synths.spec import Synth, dataset
from flowsynth.training.checkpoints import load

TIMEOUT = 20.0  # seconds after which a rendering is aborted


class RenderingError(ValueError):
    """Raised if the synthesizer fails to render a preset."""


@dataclass(frozen=True)
class TrainedModel:
    """A trained model and the setting of its run.

    Attributes:
        checkpoint: Checkpoint of the model.
        model: The model.
        synth: Synthesizer.
        names: Names of the inferred parameters.
        note: Note that is played.
        features: Spectrogram settings: arguments of `flowsynth.data.features.Mel` except the sample rate.
        level: Level of the median training sound, see `flowsynth.data.out_of_domain.preprocessing.measure_level`.
        train: Training set, without synthetic presets.
        test: Test set.
        preset_names: Names of the run's presets by id.
    """

    checkpoint: Path
    model: models.Model
    synth: Synth
    names: tuple[str, ...]
    note: Note
    features: dict[str, Any]
    level: float
    train: Items
    test: Items
    preset_names: pd.Series

    @property
    def name(self) -> str:
        """Name of the model."""
        return SystemPaths.parse(self.checkpoint.absolute()).name

    @cached_property
    def log_mel(self) -> Callable[[np.ndarray], LogMel]:
        """Function from audio to the log-mel spectrogram the model expects."""
        return log_mel_extractor(self.note.sample_rate, self.features)

    @cached_property
    def nearest(self) -> Nearest:
        """Control that predicts the training presets with the closest sound."""
        nearest = Nearest(self.model.mels, self.model.frames, len(self.names), self.model.size)
        nearest.fit(self.train.all())
        return nearest

    @cached_property
    def renderer(self) -> Renderer:
        """Renderer of presets."""
        return Renderer(self.synth, self.note, TIMEOUT)

    def render_estimate(self, values: Float[np.ndarray, " inferred"]) -> Float[np.ndarray, " samples"]:
        """Render inferred values; a failed rendering is silence."""
        return self.renderer(self.synth.expand(values[None], self.names)[0]).audio

    def render_preset(self, values: Float[np.ndarray, " parameters"]) -> Float[np.ndarray, " samples"]:
        """Render a complete preset for listening.

        Raises:
            RenderingError: If the synthesizer fails.
        """
        rendering = self.renderer(values)
        if rendering.status == "failed":
            raise RenderingError(f"can't be rendered: {self.synth.name} failed, {rendering.reason}")
        return rendering.audio

    def distance(self, target: LogMel, values: Float[np.ndarray, " inferred"]) -> float:
        """Compute the log-mel L1 between a target spectrogram and the rendering of inferred values."""
        return float(log_mel_distance(self.log_mel(self.render_estimate(values)), target))

    def predict(self, model: models.Model, target: LogMel, n: int) -> list[np.ndarray]:
        """Predict inferred values of a target spectrogram `n` times, with `model` or `nearest`."""
        truth = torch.full((1, len(self.names)), torch.nan)
        with torch.no_grad():
            return [*predict(model, torch.from_numpy(target).float()[None], truth, n)[:, 0]]


def find_checkpoint(
    results: Path, model: str | None = None, kind: type = models.Model, synth: str | None = None
) -> Path:
    """Find a trained model by name, or the one with the lowest error in its run.

    Args:
        results: Folder of runs.
        model: Name of a model, or path of a checkpoint; None for any model.
        kind: Required class if no model is named.
        synth: Name of the synthesizer; None for any.

    Returns:
        Path of the checkpoint.

    Raises:
        ValueError: If no model matches, or models of several synthesizers do.
    """
    if model and Path(model).suffix == ".pt":
        if not Path(model).is_file():
            raise ValueError(f"there is no checkpoint {model}")
        return Path(model)
    checkpoints: dict[str, list[Path]] = {}
    for paths in find_systems(results):
        synth_name = paths.run.dataset.rstrip("0123456789")
        matches = paths.name == model if model else _is_trained(paths.name, kind)
        if matches and synth in (None, synth_name) and paths.scores.exists():
            checkpoints.setdefault(synth_name, []).append(paths.checkpoint)
    if not checkpoints:
        label = f"model {model}" if model else "model" if kind is models.Model else "latent-variable model"
        raise ValueError(
            f"no trained and scored {label}{f' of {synth}' if synth else ''} in {results}/: "
            "run make reproduce first, or name a checkpoint"
        )
    if len(checkpoints) > 1:
        raise ValueError(f"{results}/ contains models of {' and '.join(checkpoints)}: select one with --synth")
    return best_checkpoint(*checkpoints.values())


def _is_trained(name: str, kind: type) -> bool:
    """Whether a folder name is that of a known trained model of a class, not of a control."""
    known = model_of(name) in models.names() and not is_control(name)
    return known and issubclass(models.find(model_of(name)), kind)


def best_checkpoint(checkpoints: Iterable[Path]) -> Path:
    """Select the scored model with the lowest mean error in its run."""

    def distance(checkpoint: Path) -> float:
        table = pd.read_csv(SystemPaths.parse(checkpoint).scores)
        return float(table.loc[table["metric"] == PRIMARY_METRIC, "value"].mean())

    return min(checkpoints, key=distance)


def open_model(checkpoint: Path) -> TrainedModel:
    """Load a trained model and the setting of its run.

    Raises:
        ValueError: If the checkpoint is not in the folder of a run, or files of the run are missing.
    """
    system = SystemPaths.parse(checkpoint.absolute())
    run = system.run
    audio, features, split = run.shards("audio"), run.shards("features"), run.split(system.split)
    if not (audio and features and split.exists()):
        raise ValueError(
            f"the run of {checkpoint} is incomplete: expected {split}, and files in {run.folder}/audio and features"
        )
    synth, names = dataset(run.dataset)
    with hdf5.reading(features[0]) as file:
        settings = hdf5.settings(file)
    train, test = (part(split, system.fold, name, features, names) for name in ("train", "test"))
    model, _ = load(checkpoint)
    note = Note(**{field: settings[field] for field in Note.__dataclass_fields__})
    mel_settings = {name: settings[name] for name in DEFAULTS}
    level = median_level(audio, train.ids)
    preset_names = read_table(run.presets, synth).set_index("id")["name"]
    return TrainedModel(checkpoint, model, synth, names, note, mel_settings, level, train, test, preset_names)
