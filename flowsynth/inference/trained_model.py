"""A trained model, ready to predict, alone or with the synthesizer, note and data of its run.

All settings are read from the checkpoint and the files of the run; none has to be configured again.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from flowsynth.core.layout import SystemPaths, find_systems
from flowsynth.core.mel_filters import log_mel_distance
from flowsynth.data.dataset import Items, part
from flowsynth.data.features import spectrogram_settings
from flowsynth.data.out_of_domain.collections import median_level
from flowsynth.data.presets import read_table
from flowsynth.inference.predict import predict
from flowsynth.inference.search_task import LogMel, log_mel_extractor
from flowsynth.metrics import PRIMARY_METRIC
from flowsynth.models import base as models
from flowsynth.models.controls.nearest import Nearest
from flowsynth.models.systems import System
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import Renderer
from flowsynth.synths.parameter_space import ParameterSpace
from flowsynth.synths.spec import Synth, dataset
from flowsynth.training import checkpoints

TIMEOUT = 20.0  # seconds after which a rendering is aborted


class RenderingError(ValueError):
    """Raised if the synthesizer fails to render a preset."""


@dataclass(frozen=True)
class TrainedModel:
    """A trained model, ready to predict; `flowsynth.load` reads it from a checkpoint.

    Attributes:
        checkpoint: Checkpoint of the model.
        model: The model, in evaluation mode.
        features: Spectrogram settings of the training: arguments of `flowsynth.data.features.Mel`; empty if unknown.
        provenance: Versions and commit of the code that trained the model, and its settings.
    """

    checkpoint: Path
    model: models.Model
    features: dict[str, Any]
    provenance: dict[str, Any]

    @property
    def parameters(self) -> ParameterSpace:
        """Parameters that the model predicts."""
        return self.model.parameter_space

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the predicted parameters."""
        return self.parameters.names

    @cached_property
    def log_mel(self) -> Callable[[np.ndarray], LogMel]:
        """Function from audio, at the sample rate of `features`, to the log-mel spectrogram the model expects.

        Raises:
            ValueError: If the spectrogram settings are unknown.
        """
        if not self.features:
            raise ValueError(f"{self.checkpoint} has no spectrogram settings: compute spectrograms as in its training")
        settings = dict(self.features)
        return log_mel_extractor(settings.pop("sample_rate"), settings)

    def infer(
        self,
        mel: Float[np.ndarray, "items mels frames"] | Float[Tensor, "items mels frames"],
        n: int = 1,
        seed: int = 0,
    ) -> Float[np.ndarray, "items n parameters"]:
        """Predict presets.

        The seed applies to each sound separately: its presets do not depend on the other sounds.

        Args:
            mel: Log-mel spectrograms, not standardised; see `log_mel`.
            n: Number of presets per sound; a deterministic model repeats its prediction.
            seed: Seed of the presets of each sound; torch's own generator keeps its state.

        Returns:
            Parameters in [0, 1], in the order of `names`.

        Raises:
            ValueError: If the spectrograms have another shape or values that are not finite, or `n` is less than 1.

        Examples:
            >>> from flowsynth.models.nn.networks import Size
            >>> size = Size(layers=2, channels=2, kernel=3, mlp_layers=2, units=8, dropout=0.0)
            >>> model = models.find("mdn")(64, 80, ParameterSpace.continuous(["cutoff", "resonance"]), size).eval()
            >>> trained = TrainedModel(Path("checkpoint.pt"), model, features={}, provenance={})
            >>> presets = trained.infer(np.zeros((5, 64, 80), np.float32), n=3, seed=1)
            >>> presets.shape
            (5, 3, 2)
            >>> bool((presets == trained.infer(np.zeros((5, 64, 80), np.float32), n=3, seed=1)).all())
            True
        """
        spectrograms = torch.as_tensor(mel).float()
        expected = (self.model.mels, self.model.frames)
        if spectrograms.shape[1:] != expected:
            raise ValueError(
                f"mel has the shape {tuple(spectrograms.shape)}, expected (items, {expected[0]}, {expected[1]})"
            )
        if not spectrograms.isfinite().all():
            raise ValueError("mel has values that are not finite, expected the logarithm of mel power + floor")
        if n < 1:
            raise ValueError(f"n = {n}, expected at least 1 preset per sound")
        presets = np.empty((len(spectrograms), n, len(self.parameters)), np.float32)
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            for start in range(0, len(spectrograms), self.model.inference_batch):
                rows = slice(start, start + self.model.inference_batch)
                torch.default_generator.manual_seed(seed)  # models draw all noise on the CPU
                batch = spectrograms[rows].to(self.model.mel_mean.device)
                presets[rows] = predict(self.model, batch, None, n).swapaxes(0, 1)
        return presets


def load(checkpoint: str | os.PathLike, device: str | torch.device = "cpu") -> TrainedModel:
    """Load a trained model; also available as `flowsynth.load`.

    Args:
        checkpoint: Path of a checkpoint, ``checkpoint.pt`` in the folder of a model.
        device: Torch device that computes the predictions.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not a checkpoint, is truncated, contains a model that is not installed, or was
            written by an incompatible version of the model.
    """
    model, features, provenance = checkpoints.load(Path(checkpoint))
    return TrainedModel(Path(checkpoint), model.to(device), features, provenance)


@dataclass(frozen=True)
class RunModel(TrainedModel):
    """A trained model and the setting of its run.

    Attributes:
        synth: Synthesizer.
        note: Note that is played.
        level: Level of the median training sound, see `flowsynth.data.out_of_domain.preprocessing.measure_level`.
        train: Training set, without synthetic presets.
        test: Test set.
        preset_names: Names of the run's presets by id.
    """

    synth: Synth
    note: Note
    level: float
    train: Items
    test: Items
    preset_names: pd.Series

    @property
    def name(self) -> str:
        """Name of the model."""
        return SystemPaths.parse(self.checkpoint.absolute()).name

    @cached_property
    def nearest(self) -> TrainedModel:
        """Control that predicts the training presets with the closest sound."""
        control = Nearest(self.model.mels, self.model.frames, self.parameters, self.model.size)
        control.fit(self.train.all())
        return TrainedModel(self.checkpoint, control, self.features, self.provenance)

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
    scored: dict[str, list[Path]] = {}
    for paths in find_systems(results):
        synth_name = paths.run.dataset.rstrip("0123456789")
        matches = paths.name == model if model else _is_trained(paths.name, kind)
        if matches and synth in (None, synth_name) and paths.scores.exists():
            scored.setdefault(synth_name, []).append(paths.checkpoint)
    if not scored:
        label = f"model {model}" if model else "model" if kind is models.Model else "latent-variable model"
        raise ValueError(
            f"no trained and scored {label}{f' of {synth}' if synth else ''} in {results}/: "
            "run make reproduce first, or name a checkpoint"
        )
    if len(scored) > 1:
        raise ValueError(f"{results}/ contains models of {' and '.join(scored)}: select one with --synth")
    return best_checkpoint(*scored.values())


def _is_trained(name: str, kind: type) -> bool:
    """Whether a folder name is that of a known trained model of a class, not of a control."""
    system = System.parse(name)
    known = system.model in models.names() and not system.is_control
    return known and issubclass(models.find(system.model), kind)


def best_checkpoint(checkpoints: Iterable[Path]) -> Path:
    """Select the scored model with the lowest mean error in its run."""

    def distance(checkpoint: Path) -> float:
        table = pd.read_csv(SystemPaths.parse(checkpoint).scores)
        return float(table.loc[table["metric"] == PRIMARY_METRIC, "value"].mean())

    return min(checkpoints, key=distance)


def open_model(checkpoint: Path) -> RunModel:
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
    synth, _ = dataset(run.dataset)
    model, _, provenance = checkpoints.load(checkpoint)
    names = model.parameter_space.names
    train, test = (part(split, system.fold, name, features, names) for name in ("train", "test"))
    note = Note(**{field: train.settings[field] for field in Note.__dataclass_fields__})
    mel_settings = spectrogram_settings(train.settings)
    level = median_level(audio, train.ids)
    preset_names = read_table(run.presets, synth).set_index("id")["name"]
    return RunModel(checkpoint, model, mel_settings, provenance, synth, note, level, train, test, preset_names)
