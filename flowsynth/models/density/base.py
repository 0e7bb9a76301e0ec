"""What the models share that learn a density of presets on the convolutional encoder, by likelihood and by nothing else.

References:
    Papamakarios and Murray 2016, "Fast epsilon-free inference of simulation models with Bayesian conditional density
    estimation".
"""

from abc import abstractmethod

from jaxtyping import Float
from torch import Tensor

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Model
from flowsynth.models.nn import networks
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.transforms import dequantise


class DensityModel(Model):
    """An encoder, as large as that of the CNN, and a density p(v | x) on its features; -log p(v | x) per parameter."""

    capturable = True

    def __init__(self, mels: int, frames: int, parameters: int, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.encoder = networks.Encoder(mels, frames, size)
        networks.initialise(self.encoder)

    def heard(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items features"]:
        """Give the features of sounds that are not standardised."""
        return self.encoder(self.standardise(mel))

    @abstractmethod
    def log_density(
        self, mel: Float[Tensor, "items mels frames"], values: Float[Tensor, "items parameters"]
    ) -> Float[Tensor, " items"]:
        """Give log p(v | x) in nats; 0 is what a uniform guess over [0, 1] has.

        Args:
            mel: Log-mel spectrograms, not standardised.
            values: Dequantised presets.
        """

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Give the negative log-likelihood, the mean over items and parameters."""
        return {"loss": -self.log_density(batch.mel, dequantise(batch.values)).mean() / self.parameters_inferred}
