"""A trained model with the data of its run, and the models of a folder of runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from flowsynth.core.layout import SystemPaths, find_systems
from flowsynth.core.readers import read_csv
from flowsynth.data.dataset import Items, part
from flowsynth.data.features import spectrogram_settings
from flowsynth.data.out_of_domain.collections import median_level
from flowsynth.data.presets import read_table
from flowsynth.inference.search_task import LogMel
from flowsynth.inference.trained_model import MapPresets, PlayableModel, TrainedModel
from flowsynth.metrics import PRIMARY_METRIC
from flowsynth.models import base as models
from flowsynth.models.autoencoders.base import LatentModel
from flowsynth.models.controls.nearest import Nearest
from flowsynth.models.controls.oracle import Oracle
from flowsynth.models.systems import System
from flowsynth.rendering.host import PACKAGE_KEY, PLUGIN_KEYS, Note
from flowsynth.synths.spec import dataset
from flowsynth.training import checkpoints


@dataclass(frozen=True)
class RunModel(PlayableModel):
    """A trained model and the data of its run.

    Attributes:
        train: Training set, without synthetic presets.
        test: Test set.
        preset_names: Names of the run's presets by id.
    """

    train: Items
    test: Items
    preset_names: pd.Series

    @cached_property
    def _nearest(self) -> TrainedModel:
        control = Nearest(self.model.mels, self.model.frames, self.parameters, self.model.size)
        control.fit(self.train.all())
        return TrainedModel(self.checkpoint, control, self.features, self.provenance)

    def nearest(self, mel: LogMel) -> Float[np.ndarray, " inferred"]:
        """Return the training preset whose sound is closest to a log-mel spectrogram."""
        return self._nearest.infer(mel[None])[0, 0]

    @cached_property
    def map_presets(self) -> MapPresets:
        """Test presets with their latents; the model must have a latent space."""
        assert isinstance(self.model, LatentModel)
        test = self.test.all()
        with torch.no_grad():
            latents = self.model.encode(test.mel).numpy()
        return MapPresets(self.preset_names.loc[list(self.test.ids)], test.values.numpy(), latents)


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
        matches = paths.name == model if model else is_trained(paths.name, kind)
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


def is_trained(name: str, kind: type) -> bool:
    """Return whether a folder name is that of a known trained model of a class, not of a control."""
    system = System.parse(name)
    known = system.model in models.names() and not system.is_control
    return known and issubclass(models.find(system.model), kind)


def best_checkpoint(checkpoints: Iterable[Path]) -> Path:
    """Select the scored model with the lowest mean error in its run."""
    return min(checkpoints, key=lambda checkpoint: mean_error(SystemPaths.parse(checkpoint)))


def mean_error(system: SystemPaths) -> float:
    """Compute the mean log-mel L1 of the scores of a system."""
    table = read_csv(system.scores)
    return float(table.loc[table["metric"] == PRIMARY_METRIC, "value"].mean())


def open_run_model(checkpoint: Path, content: checkpoints.Checkpoint | None = None) -> RunModel:
    """Load a trained model and the setting of its run.

    Args:
        checkpoint: Path of the checkpoint.
        content: Its content, if it was read already.

    Raises:
        ValueError: If the checkpoint is not in the folder of a run, files of the run are missing, or the model is the
            oracle.
    """
    system = SystemPaths.parse(checkpoint.absolute())
    run = system.run
    audio, features, split = run.shards("audio"), run.shards("features"), run.split(system.split)
    if not (audio and features and split.exists()):
        raise ValueError(
            f"the run of {checkpoint} is incomplete: expected {split}, and files in {run.folder}/audio and features"
        )
    synth, _ = dataset(run.dataset)
    model, _, provenance, _ = content or checkpoints.load(checkpoint)
    if isinstance(model, Oracle):
        raise ValueError(
            f"{checkpoint}: the oracle returns true parameters, which sounds do not have: name another model"
        )
    names = model.parameter_space.names
    train, test = (part(split, system.fold, name, features, names) for name in ("train", "test"))
    note = Note(**{field: train.settings[field] for field in Note.__dataclass_fields__})
    mel_settings = spectrogram_settings(train.settings)
    level = median_level(audio, train.ids)
    preset_names = read_table(run.presets, synth).set_index("id")["name"]
    plugin = {key: train.settings[key] for key in (*PLUGIN_KEYS, PACKAGE_KEY) if key in train.settings}
    described = synth, note, level, system.name, plugin
    return RunModel(checkpoint, model, mel_settings, provenance, *described, train, test, preset_names)
