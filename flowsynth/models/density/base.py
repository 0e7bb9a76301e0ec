"""Base class of density models that are trained by maximum likelihood on a convolutional encoder.

References:
    Papamakarios and Murray 2016, "Fast epsilon-free inference of simulation models with Bayesian conditional density
    estimation".
"""

from abc import abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Model
from flowsynth.models.nn import networks
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.transforms import dequantise
from flowsynth.synths.parameter_space import ParameterSpace


class DensityModel(Model):
    """Encoder of the size of the CNN, and a density p(v | x) on its features; -log p(v | x) per parameter."""

    kind: ClassVar[str] = "density"
    capturable = True

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.encoder = networks.Encoder(mels, frames, size)
        networks.initialise(self.encoder)

    def context(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items features"]:
        """Compute the features that the density is conditioned on, from spectrograms that are not standardised."""
        return self.encoder(self.standardise(mel))

    @abstractmethod
    def log_density(
        self, mel: Float[Tensor, "items mels frames"], values: Float[Tensor, "items parameters"]
    ) -> Float[Tensor, " items"]:
        """Compute log p(v | x) in nats; a uniform density over [0, 1] has 0.

        Args:
            mel: Log-mel spectrograms, not standardised.
            values: Dequantised presets, in [-`WIDTH` / 2, 1 + `WIDTH` / 2].
        """

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the negative log-likelihood in nats, the mean over items and parameters."""
        return {"loss": -self.log_density(batch.mel, dequantise(batch.values)).mean() / self.num_parameters}
