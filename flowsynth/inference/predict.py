"""Predict the parameters of items with a fitted model.

Each item is predicted separately with a seed derived from its id, or in a batch if the model is deterministic and its
predictions do not depend on other items (`Model.inference_batch`). No prediction depends on the other items, their order or
number.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from flowsynth.core import hdf5
from flowsynth.core.progress import track
from flowsynth.core.seeding import derive_seed
from flowsynth.data.dataset import Items
from flowsynth.models import base as models
from flowsynth.models.controls.oracle import Oracle
from flowsynth.training.accelerator import select_device
from flowsynth.training.checkpoints import load


def infer(
    checkpoint: Path,
    items: Items,
    samples: int,
    seed: int,
    path: Path,
    accelerator: str = "cpu",
    decide: Callable[[models.Model, Tensor, Float[np.ndarray, "samples items parameters"]], np.ndarray] | None = None,
) -> None:
    """Write predictions: ``values`` (ground truth) and ``estimates`` (items x samples x parameters, in [0, 1]).

    Args:
        checkpoint: Checkpoint of a fitted model.
        items: Items to predict. Without parameters they have no ground truth, and ``values`` is NaN.
        samples: Predictions per item.
        seed: Seed of sampled predictions.
        path: Path of the file to write.
        accelerator: Device of a trained model: ``cpu``, ``gpu`` or ``auto``. Controls run on the CPU.
        decide: Rule that makes one estimate of all samples of an item, see `flowsynth.inference.decision_rules`.

    Raises:
        ValueError: If the model was fitted to other parameters, the accelerator is unknown, or a prediction is not finite
            or outside [0, 1].
    """
    model = load(checkpoint).model
    names = model.parameter_space.names
    if items.names and names != items.names:
        raise ValueError(f"{checkpoint} infers {list(names)}, expected {list(items.names)}")
    batch = items.all()
    device = torch.device("cpu") if isinstance(model, models.Control) else select_device(accelerator)
    model.to(device)
    truth = batch.values if items.names else torch.full((len(items), len(names)), torch.nan)
    settings = {"checkpoint": str(checkpoint), "seed": seed}
    with hdf5.writing(path, items.ids, truth.numpy(), names, settings) as file, torch.no_grad():
        estimates = hdf5.add_items(file, "estimates", (1 if decide else samples, len(names)))
        starts = range(0, len(items), model.inference_batch)
        for start in track(starts, len(starts), f"infer {path}"):
            torch.manual_seed(derive_seed(seed, "infer", items.ids[start]))
            rows = slice(start, start + model.inference_batch)
            mel = batch.mel[rows].to(device)
            try:
                values = predict(model, mel, truth[rows].to(device), samples)
                if decide:
                    values = decide(model, mel, values)[None]
                    check_predictions(values, (1, len(mel), model.num_parameters), type(model).__name__)
            except ValueError as error:
                raise ValueError(f"{path}: {', '.join(items.ids[rows])}: {error}") from error
            estimates[rows] = values.swapaxes(0, 1)


def predict(
    model: models.Model, mel: Tensor, truth: Tensor | None, samples: int
) -> Float[np.ndarray, "samples items parameters"]:
    """Predict parameters and check their shape and range; only the oracle receives the ground truth.

    Args:
        model: Fitted model.
        mel: Log-mel spectrograms, not standardised.
        truth: True parameters, in [0, 1]; None if they are unknown, with which the oracle cannot predict.
        samples: Predictions per item.

    Raises:
        ValueError: If the predictions have another shape, are not finite, or are outside [0, 1].

    Examples:
        >>> from flowsynth.models.nn.networks import Size
        >>> from flowsynth.synths.parameter_space import ParameterSpace
        >>> size = Size(layers=1, channels=2, kernel=3, mlp_layers=2, units=8, dropout=0.0)
        >>> oracle = Oracle(64, 80, ParameterSpace.continuous(["cutoff", "resonance"]), size)
        >>> predict(oracle, torch.zeros(5, 64, 80), torch.rand(5, 2), 3).shape
        (3, 5, 2)
    """
    if isinstance(model, Oracle) and truth is not None:
        predictions = model.infer_from_truth(truth, samples)
    else:
        predictions = model.infer(mel, samples)
    values = predictions.float().cpu().numpy()
    check_predictions(values, (samples, len(mel), model.num_parameters), type(model).__name__)
    return values


def check_predictions(values: np.ndarray, shape: tuple[int, ...], name: str) -> None:
    """Check the shape and the range of predictions.

    Args:
        values: The predictions.
        shape: Expected shape.
        name: Name of what predicts, for the message.

    Raises:
        ValueError: If the shape is another, a value is not finite, or outside [0, 1].
    """
    if values.shape != shape:
        raise ValueError(f"{name} predicts the shape {values.shape}, expected {shape}")
    if not ((values >= 0) & (values <= 1)).all():
        finite = np.isfinite(values).all()
        got = f"{values.min()} to {values.max()}" if finite else "values that are not finite"
        raise ValueError(f"{name} predicts {got}, expected 0..1")
