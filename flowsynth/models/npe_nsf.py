"""A conditional neural spline flow on the convolutional encoder, trained by likelihood and by nothing else.

It is the plain answer to the question of what normalising flows do here: no autoencoder, no latent, no balance of terms. The
encoder is that of the CNN, as large, and what it hears conditions a density of presets.

References:
    Papamakarios and Murray 2016, "Fast epsilon-free inference of simulation models with Bayesian conditional density
    estimation": neural posterior estimation.
    Durkan et al. 2019, "Neural spline flows".
"""

import torch
from jaxtyping import Float
from torch import Tensor
from zuko.distributions import NormalizingFlow

from flowsynth import networks
from flowsynth.bijections import dequantise
from flowsynth.data import Batch
from flowsynth.flows import conditional_flow, draw
from flowsynth.models import Model
from flowsynth.networks import Size


class NPENSF(Model):
    """Draws presets from an autoregressive spline flow given what the encoder hears; -log p(v | x) in nats per parameter."""

    def __init__(self, mels: int, frames: int, parameters: int, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.encoder = networks.Encoder(mels, frames, size)
        networks.initialise(self.encoder)
        self.flow = self.make_flow()

    def make_flow(self) -> torch.nn.Module:
        """Make the density, a distribution for the encoder's features."""
        return conditional_flow(self.parameters_inferred, self.encoder.features)

    def distribution(self, mel: Float[Tensor, "items mels frames"]) -> NormalizingFlow:
        """Give the densities of presets for sounds that are not standardised."""
        return self.flow(self.encoder(self.standardise(mel)))

    def log_density(
        self, mel: Float[Tensor, "items mels frames"], values: Float[Tensor, "items parameters"]
    ) -> Float[Tensor, " items"]:
        """Give log p(v | x) in nats; 0 is what a uniform guess over [0, 1] has.

        Args:
            mel: Log-mel spectrograms, not standardised.
            values: Dequantised presets.
        """
        return self.distribution(mel).log_prob(values)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Give the negative log-likelihood, the mean over items and parameters."""
        return {"loss": -self.log_density(batch.mel, dequantise(batch.values)).mean() / self.parameters_inferred}

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Draw `n` presets for each sound."""
        return draw(self.distribution(mel), n).clamp(0, 1)
