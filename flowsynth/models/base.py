"""Base classes of models, and how to find a model by its name.

A model maps log-mel spectrograms to synthesizer parameters in [0, 1]. It is either a `Model`, trained to minimise the
entry ``loss`` of `Model.loss`, or a `Control`, fitted in one call. To add a model, put a module with one class into the
folder of its kind and its name into the configuration. An installed package can offer a model as an entry point of the
group ``flowsynth.models`` that names the class or its module.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowsynth.data.dataset import Batch
from flowsynth.models import registry
from flowsynth.models.nn.networks import Size
from flowsynth.synths.parameter_space import ParameterSpace


class Model(nn.Module, ABC):
    """Base class of all models.

    Args:
        mels: Number of mel bands.
        frames: Number of frames of a spectrogram.
        parameters: Parameters to predict.
        size: Sizes of the networks.

    Attributes:
        kind: Kind of the model, one of `registry.KINDS`. For a model of this package it is the folder of its module.
        human_presets_only: Whether the model is fitted to human-designed presets only, without synthetic ones.
        passes: Passes over the training set per epoch. Budgets set the number of epochs; a model whose training steps
            are much cheaper than those of the others may make more passes.
        batch_factor: Factor by which the batch size of the budget is multiplied.
        inference_batch: Maximum number of sounds per call of `infer`. It is more than 1 only if predictions are
            deterministic and bit-identical whatever the other sounds of the batch.
        capturable: Whether a training step may be captured as a CUDA graph and replayed, so that Python runs `loss`
            only once. `loss` then must not copy from the device, and may depend only on its batch, random numbers of
            torch, and attributes that are strings, numbers, or tensors updated in place.

    Examples:
        >>> size = Size(layers=2, channels=4, kernel=3, mlp_layers=2, units=16, dropout=0.0)
        >>> model = find("cnn")(64, 80, ParameterSpace.continuous(["cutoff", "resonance"]), size).eval()
        >>> model.infer(torch.zeros(5, 64, 80), 3).shape
        torch.Size([3, 5, 2])
    """

    kind: ClassVar[str] = "regression"
    human_presets_only: ClassVar[bool] = False
    passes: ClassVar[int] = 1
    batch_factor: ClassVar[int] = 1
    inference_batch: ClassVar[int] = 1
    capturable: ClassVar[bool] = False
    mel_mean: Tensor
    mel_std: Tensor

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__()
        self.mels, self.frames, self.size = mels, frames, size
        self.parameter_space, self.num_parameters = parameters, len(parameters)
        self.register_buffer("mel_mean", torch.zeros(()))
        self.register_buffer("mel_std", torch.ones(()))

    def calibrate(self, train: Batch) -> None:
        """Compute statistics of the training set before training.

        The base class computes the mean and the standard deviation of all bins of the spectrograms.

        Args:
            train: Items of the training set, as many as fit in memory; spectrograms are not standardised.
        """
        self.mel_mean.fill_(train.mel.double().mean())
        self.mel_std.fill_(train.mel.double().std())

    def standardise(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items mels frames"]:
        """Scale spectrograms to zero mean and unit variance by the statistics of the training set."""
        return (mel - self.mel_mean) / self.mel_std

    def at_epoch(self, epoch: int, epochs: int) -> None:
        """Prepare for an epoch. The state it sets depends only on the arguments, so that training can be resumed.

        Args:
            epoch: Index of the epoch, from 0.
            epochs: Total number of epochs.
        """

    @abstractmethod
    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss to minimise, under the key ``loss``, and other scalars to log.

        The best epoch is chosen, and the learning rate halved, by ``selection`` if present, else by ``loss``. A loss
        whose weights change with the epochs must have a ``selection``; while it is infinite, neither happens.

        Args:
            batch: Items of the training or validation set; spectrograms are not standardised.
        """

    @abstractmethod
    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Predict parameters.

        Args:
            mel: Log-mel spectrograms, not standardised.
            n: Number of predictions per sound; a deterministic model repeats its prediction.

        Returns:
            Parameters in [0, 1].
        """


@runtime_checkable
class HasDensity(Protocol):
    """A model that can evaluate its density of presets."""

    def log_prob(
        self, mel: Float[Tensor, "items mels frames"], presets: Float[Tensor, "n items parameters"]
    ) -> Float[Tensor, "n items"]:
        """Compute log p(preset | sound) in nats.

        Args:
            mel: Log-mel spectrograms, not standardised.
            presets: Presets of each sound, in [0, 1].
        """


class Control(Model):
    """Base class of reference models that are fitted and not trained; they show how hard the task is."""

    kind: ClassVar[str] = "controls"

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Raise an error: a control has no loss."""
        raise TypeError(f"{type(self).__name__} is a control, it is fitted and not trained")

    @abstractmethod
    def fit(self, train: Batch) -> None:
        """Fit to the training set.

        Args:
            train: Items of the training set, as many as fit in memory.
        """


def names() -> list[str]:
    """Return the names of all models.

    >>> "cnn" in names()
    True
    """
    return list(registry.models())


def find(name: str) -> type[Model]:
    """Return the class of a model.

    Raises:
        ValueError: If there is no model of that name, or an entry point offers something else or a class that is
            defined in another module.

    >>> find("cnn").__name__
    'CNN'
    """
    if name not in names():
        raise ValueError(f"unknown model {name!r}, expected one of {names()}")
    entry_point = registry.models()[name]
    loaded = entry_point.load()
    values = [loaded] if entry_point.attr else vars(loaded).values()
    subclasses = [value for value in values if isinstance(value, type) and issubclass(value, Model)]
    candidates = [model for model in subclasses if entry_point.attr or model.__module__ == entry_point.module]
    if len(candidates) != 1:
        raise ValueError(f"{entry_point.value}: got {len(candidates)} models, expected one class derived from Model")
    (model,) = candidates
    if model.__module__ != entry_point.module:  # edits are detected by the source of the entry point's module
        raise ValueError(
            f"{entry_point.value} is defined in another module: offer it as {model.__module__}:{model.__name__}"
        )
    return model


def print_traits(names: Sequence[str]) -> None:
    """Print `registry.Traits` of some models as JSON: by name, the values or the text of an error.

    `registry` runs it in a subprocess for the models of installed packages, to plan without loading torch.
    """
    traits: dict[str, registry.Traits | str] = {}
    for name in names:
        try:
            model = find(name)
            if model.kind not in registry.KINDS:
                raise ValueError(f"its kind is {model.kind!r}, expected one of {', '.join(registry.KINDS)}")
            traits[name] = registry.Traits(model.kind, model.human_presets_only)
        except Exception as error:
            traits[name] = str(error)
    print(json.dumps(traits))
