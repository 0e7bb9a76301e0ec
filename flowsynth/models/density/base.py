"""Base class of density models that are trained by maximum likelihood on a convolutional encoder.

References:
    Papamakarios and Murray 2016, "Fast epsilon-free inference of simulation models with Bayesian conditional density
    estimation".
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Model
from flowsynth.models.nn import networks
from flowsynth.models.nn.categorical_factor import CategoricalFactor
from flowsynth.models.nn.categories import Categories
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.transforms import dequantise
from flowsynth.synths.parameter_space import ParameterSpace


class DensityModel(Model):
    """Encoder of the size of the CNN, and a density p(v | x) on its features; -log p(v | x) per parameter.

    The density is that of the categories times that of all other parameters given the categories. Subclasses define
    the latter. Their context is the features of the encoder, and one-hot vectors of the categories if there are any.

    Attributes:
        scales: Number of parameters that are not categories.
        features: Number of features of the context.
    """

    kind: ClassVar[str] = "density"
    capturable = True

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.encoder = networks.Encoder(mels, frames, size)
        networks.initialise(self.encoder)
        self.categories = Categories(parameters)
        self.scales = len(parameters) - self.categories.number
        self.features = self.encoder.features + self.categories.logits
        if not self.scales:
            raise ValueError(f"all {len(parameters)} parameters are categories, expected one that is not")
        if self.categories.number:
            self.factor = CategoricalFactor(self.categories, self.encoder.features)

    @abstractmethod
    def log_density(
        self, context: Float[Tensor, "items features"], values: Float[Tensor, "items scales"]
    ) -> Float[Tensor, " items"]:
        """Compute the log-density of the parameters that are not categories, in nats; a uniform one over [0, 1] has 0.

        Args:
            context: Context of each item.
            values: Dequantised parameters, in [-`WIDTH` / 2, 1 + `WIDTH` / 2].
        """

    @abstractmethod
    def sample(
        self, context: Float[Tensor, "items features"] | Float[Tensor, "n items features"], n: int
    ) -> Float[Tensor, "n items scales"]:
        """Sample the parameters that are not categories, with the same noise for each item; they are clamped to [0, 1].

        Args:
            context: Context of each item, or of each sample of each item.
            n: Number of samples per item.
        """

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the negative log-likelihood in nats, the mean over items and parameters."""
        log_prob = self._log_prob(self.encoder(self.standardise(batch.mel)), batch.values, dequantise)
        return {"loss": -log_prob.mean() / self.num_parameters}

    def log_prob(
        self, mel: Float[Tensor, "items mels frames"], presets: Float[Tensor, "n items parameters"]
    ) -> Float[Tensor, "n items"]:
        """Compute log p(preset | sound) in nats."""
        features = self.encoder(self.standardise(mel)).expand(len(presets), -1, -1)
        return self._log_prob(features.flatten(0, 1), presets.flatten(0, 1)).unflatten(0, presets.shape[:2])

    def _log_prob(
        self,
        features: Float[Tensor, "items features"],
        values: Float[Tensor, "items parameters"],
        transform: Callable[[Tensor], Tensor] = lambda values: values,
    ) -> Float[Tensor, " items"]:
        """Compute log p(v | x) with a transform of the parameters that are not categories."""
        if not self.categories.number:
            return self.log_density(features, transform(values))
        indices = self.categories.indices(values)
        context = torch.cat([features, self.categories.one_hot(indices)], dim=-1)
        log_density = self.log_density(context, transform(values[:, self.categories.others]))
        return log_density + self.factor.log_probability(features, indices)

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Sample `n` presets per sound, with the same noise for all sounds."""
        features = self.encoder(self.standardise(mel))
        if not self.categories.number:
            return self.sample(features, n)
        indices = self.factor.sample(features, n)
        context = torch.cat([features.expand(n, -1, -1), self.categories.one_hot(indices)], dim=-1)
        return self.categories.merge(self.sample(context, n), indices)
