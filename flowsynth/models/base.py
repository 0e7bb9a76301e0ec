"""The models: one file each, with one class each, found by the name of the file.

A model hears log-mel spectrograms and answers with parameters in [0, 1]. It is a `Model` that is trained on the key
``loss`` of its `Model.loss`, or a `Control` that is fitted in one call. To add one, write its file here and put its name
into the configuration; nothing else has to be edited. Or leave it in a package of its own that offers its class, or the
module that has it, as an entry point of the group ``flowsynth.models``.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowsynth.data.dataset import Batch
from flowsynth.models import registry
from flowsynth.models.nn.networks import Size


class Model(nn.Module, ABC):
    """What every model is.

    Args:
        mels: Bands of the spectrograms.
        frames: Of the spectrograms.
        parameters: Number of parameters to infer.
        size: Sizes of the budget's networks.

    Attributes:
        passes: Times as many items that an epoch of this model has. Budgets give epochs, and mean work: a model whose steps
            cost a fraction of those of the others may have more of them.
        batch: Times as many items that a batch of this model has.
        at_once: Sounds that `infer` is given at once, at most. More than one only where nothing in a prediction is random,
            and its bits don't depend on the other sounds.
        capturable: Whether a step of the training may be captured as a CUDA graph and replayed: `loss` then runs in Python
            once only. It needs a `loss` that copies nothing from the device and depends on nothing but its batch, torch's
            noise and attributes of the model that are tensors which stay in place, numbers or strings.
    """

    passes: ClassVar[int] = 1
    batch: ClassVar[int] = 1
    at_once: ClassVar[int] = 1
    capturable: ClassVar[bool] = False
    mel_mean: Tensor
    mel_std: Tensor

    def __init__(self, mels: int, frames: int, parameters: int, size: Size):
        super().__init__()
        self.mels, self.frames, self.parameters_inferred, self.size = mels, frames, parameters, size
        self.register_buffer("mel_mean", torch.zeros(()))
        self.register_buffer("mel_std", torch.ones(()))

    def calibrate(self, train: Batch) -> None:
        """Take from the training part what a model has to know of all of it before it is trained.

        Here that is the mean and the standard deviation of all bins of the spectrograms.

        Args:
            train: Items of the training part, as many as memory may hold; their spectrograms are not standardised.
        """
        self.mel_mean.fill_(train.mel.double().mean())
        self.mel_std.fill_(train.mel.double().std())

    def standardise(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items mels frames"]:
        """Spectrograms with about zero mean and unit variance, by the statistics of the training part."""
        return (mel - self.mel_mean) / self.mel_std

    def at_epoch(self, epoch: int, epochs: int) -> None:
        """Prepare for an epoch; what this sets may depend on nothing else, so that a resumed training sets the same.

        Args:
            epoch: The epoch, from 0.
            epochs: Of the whole training.
        """

    @abstractmethod
    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Give what to minimise, under the key ``loss``, and other scalars to log.

        The best epoch is chosen, and the learning rate halved, by ``selection`` if there is one, else by ``loss``. Where
        the weights of a loss change with the epochs there has to be one; as long as it is infinite, neither happens.

        Args:
            batch: Items of the training or validation part; its spectrograms are not standardised.
        """

    @abstractmethod
    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Give parameters that make these sounds.

        Args:
            mel: Log-mel spectrograms, not standardised.
            n: Number of answers for each sound; a model that has only one repeats it.

        Returns:
            Parameters in [0, 1].
        """


class Control(Model):
    """A model that says how easy the task is: nothing in it is trained."""

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Refuse: there is nothing to train."""
        raise TypeError(f"{type(self).__name__} is a control, it is fitted and not trained")

    @abstractmethod
    def fit(self, train: Batch) -> None:
        """Take what it needs from the training part."""


class PeopleOnly:
    """Marks a model whose training part is what people made alone: it is given none of the presets that are drawn."""


def names() -> list[str]:
    """Names of all models."""
    return list(registry.models())


def find(name: str) -> type[Model]:
    """Find the class of a model.

    Raises:
        ValueError: If there is no model of that name, or what is offered is not one, or is written elsewhere.
    """
    if name not in names():
        raise ValueError(f"unknown model {name!r}, expected one of {names()}")
    offered = registry.models()[name]
    loaded = offered.load()
    values = [loaded] if offered.attr else vars(loaded).values()
    kinds = [value for value in values if isinstance(value, type) and issubclass(value, Model)]
    found = [kind for kind in kinds if offered.attr or kind.__module__ == offered.module]
    if len(found) != 1:
        raise ValueError(f"{offered.value}: got {len(found)} models, expected one class derived from Model")
    written = found[0].__module__
    if written != offered.module:  # its source is what tells whether it was edited
        raise ValueError(f"{offered.value} is written in another module: offer it as {written}:{found[0].__name__}")
    return found[0]
