"""Predict the parameters of items with a fitted model.

Each item is predicted alone, with a seed that comes from its id, or together with others by a model whose predictions don't
depend on them and have nothing random (`Model.inference_batch`): no prediction depends on the other items, their order or
number.
"""

from pathlib import Path

import numpy as np
import torch

from flowsynth.core import hdf5
from flowsynth.core.progress import track
from flowsynth.core.seeding import derive_seed
from flowsynth.data.dataset import Items
from flowsynth.models import base as models
from flowsynth.models.controls.oracle import Oracle
from flowsynth.training.accelerator import device_of
from flowsynth.training.checkpoints import load


def infer(checkpoint: Path, items: Items, samples: int, seed: int, path: Path, accelerator: str = "cpu") -> None:
    """Write the answers of a model: ``values`` (the truth), ``estimates`` (items x samples x parameters, in [0, 1]).

    Args:
        checkpoint: Of a fitted model.
        items: To hear. Those of no parameters have no truth, it is NaN in the file.
        samples: Answers for each item.
        seed: Of whatever is random in an answer.
        path: Of the file to write.
        accelerator: Where a trained model answers: ``cpu``, ``gpu`` or ``auto``. Controls answer on the CPU.

    Raises:
        ValueError: If the model was fitted to other parameters, there is no such accelerator, or an answer is outside
            [0, 1].
    """
    model, names = load(checkpoint)
    if items.names and tuple(names) != items.names:
        raise ValueError(f"{checkpoint} infers {names}, expected {list(items.names)}")
    heard = items.all()
    device = torch.device("cpu") if isinstance(model, models.Control) else device_of(accelerator)
    model.to(device)
    truth = heard.values if items.names else torch.full((len(items), len(names)), torch.nan)
    settings = {"checkpoint": str(checkpoint), "seed": seed}
    with hdf5.writing(path, items.ids, truth.numpy(), names, settings) as file, torch.no_grad():
        estimates = hdf5.add_items(file, "estimates", (samples, len(names)))
        starts = range(0, len(items), model.inference_batch)
        for start in track(starts, len(starts), f"infer {path}"):
            torch.manual_seed(derive_seed(seed, "infer", items.ids[start]))
            rows = slice(start, start + model.inference_batch)
            estimates[rows] = answer(model, heard.mel[rows].to(device), truth[rows].to(device), samples).swapaxes(0, 1)


def answer(model: models.Model, mel: torch.Tensor, truth: torch.Tensor, samples: int) -> np.ndarray:
    """Ask a model; the oracle, and nobody else, is shown the truth."""
    found = model.infer_from_truth(truth, samples) if isinstance(model, Oracle) else model.infer(mel, samples)
    expected = (samples, *truth.shape)
    if tuple(found.shape) != expected:
        raise ValueError(f"{type(model).__name__} answers in the shape {tuple(found.shape)}, expected {expected}")
    values = found.float().cpu().numpy()
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"{type(model).__name__} answers {values.min()} to {values.max()}, expected 0..1")
    return values
