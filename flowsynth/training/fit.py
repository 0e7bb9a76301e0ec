"""Fit one model to one fold: a control in one call, everything else by training (`flowsynth.training.loop`)."""

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import torch

from flowsynth.core.code_digest import digest
from flowsynth.core.progress import log
from flowsynth.core.provenance import versions, write_csv, write_text
from flowsynth.core.seeding import derive_seed
from flowsynth.data.dataset import Items
from flowsynth.models import base as models
from flowsynth.models import registry
from flowsynth.models.nn.networks import Size
from flowsynth.training import checkpoints
from flowsynth.training.config import Plan


def fit(
    name: str, train: Items, valid: Items, size: Size, plan: Plan, seed: int, path: Path, history: Path, progress: Path
) -> None:
    """Fit a model to the training part of a fold and write its checkpoint.

    Args:
        name: Of the model.
        train: The training part.
        valid: The validation part; the epoch that is best on it is kept.
        size: Sizes of the networks.
        plan: How to train.
        seed: Of everything random in it.
        path: Of the checkpoint to write.
        history: Of the table of epochs to write.
        progress: Folder of the unfinished training. If there is one in it, of the same settings, data and code, it goes
            on. At the end nothing but the curves for TensorBoard is left there.
    """
    torch.set_num_threads(plan.threads)
    torch.manual_seed(derive_seed(seed, "weights"))
    mels, frames = train.shape
    model = models.find(name)(mels, frames, len(train.names), size)
    some = train.head()
    model.calibrate(some)
    rows: list[dict[str, float]] = []
    if isinstance(model, models.Control):
        model.fit(some)
    else:
        del some
        _claim(progress, _fingerprint(name, [asdict(size), asdict(plan), seed], train, valid))
        from flowsynth.training import loop  # it takes seconds to import, and controls do not need it

        rows = loop.run(model, train, valid, plan, seed, progress)
    model.eval()
    settings = {"seed": seed, "plan": asdict(plan)}
    columns = list(rows[0]) if rows else ["epoch", "learning_rate", "train/loss", "valid/loss"]
    write_csv(pd.DataFrame(rows, columns=columns), history, **settings)
    checkpoints.save(model, name, train.names, settings, path)
    for leftover in ("key", "last.ckpt"):
        (progress / leftover).unlink(missing_ok=True)


def _fingerprint(name: str, settings: list, *parts: Items) -> str:
    """Name a training by all that its result depends on: settings, data, and the code of the training and the model."""
    code = digest(Path(__file__), registry.source_file(name))
    depends_on = [name, *settings, *(part.fingerprint() for part in parts), code, versions()]
    return hashlib.sha256(json.dumps(depends_on).encode()).hexdigest()


def _claim(progress: Path, key: str) -> None:
    """Keep an unfinished training if it has this key, and make room for a new one if not."""
    if progress.exists() and not ((progress / "key").exists() and (progress / "key").read_text() == key):
        if (progress / "last.ckpt").exists():
            log.info(
                "%s: the unfinished training had other settings, data or code; a new one begins",
                progress,
            )
        shutil.rmtree(progress)
    write_text(progress / "key", key)
