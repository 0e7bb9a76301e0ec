"""Fit one model to one fold: controls in a single call, other models by gradient descent (`flowsynth.training.loop`)."""

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import torch

from flowsynth.core.code_digest import digest
from flowsynth.core.disk_space import require_space
from flowsynth.core.progress import log
from flowsynth.core.provenance import versions, write_csv, write_text
from flowsynth.core.seeding import derive_seed
from flowsynth.data.dataset import Items
from flowsynth.data.features import spectrogram_settings
from flowsynth.models import base as models
from flowsynth.models import registry
from flowsynth.models.nn.networks import Size
from flowsynth.synths.parameter_space import ParameterSpace
from flowsynth.training import checkpoints
from flowsynth.training.plan import Plan

# weights that a training stores: the current ones, the best ones and two moments of Adam, in a file and its replacement
STATE_COPIES = 8


def fit(
    name: str,
    parameters: ParameterSpace,
    train: Items,
    valid: Items,
    size: Size,
    plan: Plan,
    seed: int,
    path: Path,
    history: Path,
    progress: Path,
) -> None:
    """Fit a model to the training set of a fold and write its checkpoint.

    Args:
        name: Name of the model.
        parameters: Parameters to predict, those of the items.
        train: Training set.
        valid: Validation set; the weights of the best epoch on it are kept.
        size: Network sizes.
        plan: Training hyper-parameters.
        seed: Seed of weights, item order and noise.
        path: Path of the checkpoint to write.
        history: Path of the CSV file of epochs to write.
        progress: Folder of the training state. An unfinished training with the same settings, data and code is resumed.
            Only the TensorBoard curves remain there at the end.

    Raises:
        OSError: If the disk has no space for the checkpoint and the training state.
        ValueError: If the training set has other parameters.
    """
    if parameters.names != train.names:
        raise ValueError(f"the training set has the parameters {list(train.names)}, expected {list(parameters.names)}")
    torch.set_num_threads(plan.threads)
    torch.manual_seed(derive_seed(seed, "weights"))
    mels, frames = train.shape
    model = models.find(name)(mels, frames, parameters, size)
    calibration_items = train.head()
    model.calibrate(calibration_items)
    rows: list[dict[str, float]] = []
    if isinstance(model, models.Control):
        model.fit(calibration_items)
        require_space(path, _size(model))
    else:
        last = progress / "last.ckpt"
        require_space(path, STATE_COPIES * _size(model) - (last.stat().st_size if last.exists() else 0))
        del calibration_items  # free the memory
        _claim(progress, _fingerprint(name, [asdict(parameters), asdict(size), asdict(plan), seed], train, valid))
        from flowsynth.training import loop  # slow to import, and not needed by controls

        rows = loop.run(model, train, valid, plan, seed, progress)
    model.eval()
    settings = {"seed": seed, "plan": asdict(plan)}
    columns = list(rows[0]) if rows else ["epoch", "learning_rate", "train/loss", "valid/loss"]
    write_csv(pd.DataFrame(rows, columns=columns), history, **settings)
    checkpoints.save(model, name, spectrogram_settings(train.settings), settings, path)
    for leftover in ("key", "last.ckpt"):
        (progress / leftover).unlink(missing_ok=True)


def _size(model: models.Model) -> int:
    """Return the size of the weights in bytes."""
    return sum(value.nbytes for value in model.state_dict().values())


def _fingerprint(name: str, settings: list, *parts: Items) -> str:
    """Hash everything the result depends on: settings, data, and the code of the training and the model."""
    code = digest(Path(__file__), registry.source_file(name))
    dependencies = [name, *settings, *(part.fingerprint() for part in parts), code, versions()]
    return hashlib.sha256(json.dumps(dependencies).encode()).hexdigest()


def _claim(progress: Path, key: str) -> None:
    """Keep an unfinished training if it has this key, else delete it."""
    if progress.exists() and not (
        (progress / "key").exists() and (progress / "key").read_text(encoding="utf-8") == key
    ):
        if (progress / "last.ckpt").exists():
            log.info("%s: unfinished training with other settings, data or code; starting a new one", progress)
        shutil.rmtree(progress)
    write_text(progress / "key", key)
