"""Training hyper-parameters, as given by a budget of the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Plan:
    """Training hyper-parameters.

    Attributes:
        epochs: Number of epochs; each ends with a pass over the validation set.
        batch_size: Items per step.
        learning_rate: Initial learning rate of Adam.
        patience: Epochs without an improved validation loss (key ``selection`` of `Model.loss`) before the learning rate is
            halved. If None, the learning rate follows half a cosine to 0, updated at each step.
        threads: CPU threads.
        accelerator: ``cpu``, ``gpu`` or ``auto``.
        precision: ``32-true``, ``bf16-mixed`` or ``16-mixed``; applies to encoders and decoders, flows use 32 bits.
        epoch_items: Items per epoch; None for the whole training set.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    patience: int | None
    threads: int
    accelerator: str
    precision: Literal["32-true", "bf16-mixed", "16-mixed"]
    epoch_items: int | None = None


def plan_from_budget(budget: Mapping[str, Any]) -> Plan:
    """Return the training hyper-parameters of a budget of the configuration."""
    return Plan(**{key: budget[key] for key in Plan.__dataclass_fields__})
