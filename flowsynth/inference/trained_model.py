"""A trained model, ready to predict, alone or with its synthesizer.

All settings are read from files; none has to be configured again. `flowsynth.inference.run_model` opens a model with the
files of its run, `flowsynth.inference.exported_model` one that was exported.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from flowsynth.core.mel_filters import log_mel_distance
from flowsynth.inference.predict import predict
from flowsynth.inference.search_task import LogMel, log_mel_extractor
from flowsynth.models import base as models
from flowsynth.rendering.host import Note, plugin_differences, plugin_record
from flowsynth.rendering.render import Renderer
from flowsynth.synths.parameter_space import ParameterSpace
from flowsynth.synths.spec import Synth
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
    content = checkpoints.load(Path(checkpoint))
    return TrainedModel(Path(checkpoint), content.model.to(device), content.features, content.maker)


@dataclass(frozen=True)
class MapPresets:
    """Presets on the map of a latent space.

    Attributes:
        names: Names of the presets by id.
        values: Values of the predicted parameters, in [0, 1].
        latents: Latents of their sounds.
    """

    names: pd.Series
    values: Float[np.ndarray, "presets parameters"]
    latents: Float[np.ndarray, "presets latent"]


@dataclass(frozen=True)
class PlayableModel(TrainedModel, ABC):
    """A trained model with its synthesizer, for applications.

    Attributes:
        synth: Synthesizer.
        note: Note that is played.
        level: Level of the median training sound, see `flowsynth.data.out_of_domain.preprocessing.measure_level`.
        name: Name of the model.
        plugin: Plugin and host that rendered the training sounds, see `flowsynth.rendering.host.plugin_record`; models
            of earlier versions lack some of it.
    """

    synth: Synth
    note: Note
    level: float
    name: str
    plugin: Mapping[str, str]

    @abstractmethod
    def nearest(self, mel: LogMel) -> Float[np.ndarray, " inferred"]:
        """Return the training preset whose sound is closest to a log-mel spectrogram."""

    @property
    @abstractmethod
    def map_presets(self) -> MapPresets:
        """Test presets with their latents; the model must have a latent space."""

    @cached_property
    def plugin_differences(self) -> list[str]:
        """In what the installed plugin and host differ from those that rendered the training sounds."""
        return plugin_differences(self.plugin, plugin_record(self.synth))

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

    def rendered_log_mel(self, values: Float[np.ndarray, " inferred"]) -> LogMel:
        """Render inferred values and compute the log-mel spectrogram; a failed rendering is silence."""
        return self.log_mel(self.render_estimate(values))

    def distance(self, target: LogMel, values: Float[np.ndarray, " inferred"]) -> float:
        """Compute the log-mel L1 between a target spectrogram and the rendering of inferred values."""
        return float(log_mel_distance(self.rendered_log_mel(values), target))
