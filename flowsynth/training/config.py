"""How much work a training is: what a budget says of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Plan:
    """How a model is trained.

    Attributes:
        epochs: Of the training; each ends with the validation part.
        batch_size: Items in a step.
        learning_rate: Of Adam at the start.
        patience: Epochs without a better validation loss (`Model.loss`: selection) before the rate is halved. If None, the
            rate falls to nothing along half a cosine, a bit each step.
        threads: CPU threads.
        accelerator: ``cpu``, ``gpu`` or ``auto``.
        precision: ``32-true``, or ``bf16-mixed`` or ``16-mixed``: that of encoders and decoders, flows keep 32 bits.
        epoch_items: Items of an epoch; None, and it is the training part.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    patience: int | None
    threads: int
    accelerator: str
    precision: Literal["32-true", "bf16-mixed", "16-mixed"]
    epoch_items: int | None = None


def plan_of(budget: Mapping[str, Any]) -> Plan:
    """Take the plan out of a budget of the configuration."""
    return Plan(**{key: budget[key] for key in Plan.__dataclass_fields__})
