"""Variational autoencoder with a normalising flow as posterior, and a regressor on its latent, trained jointly.

References:
    Esling et al. 2019: an inverse autoregressive flow of 16 steps. In the published code the steps do not depend on the
    sound (`flows.posterior_flow`); here they are conditioned on it, as in the paper.
    Kingma et al. 2016, "Improving variational inference with inverse autoregressive flow".
"""

import torch
from jaxtyping import Float
from torch import Tensor
from zuko.distributions import NormalizingFlow
from zuko.lazy import Flow

from flowsynth.models.autoencoders.base import LatentModel
from flowsynth.models.nn.flows import centre, monte_carlo_kl, normal, posterior_flow
from flowsynth.models.nn.networks import Size
from flowsynth.synths.parameter_space import ParameterSpace


class VAEFlow(LatentModel):
    """Autoencoder with an inverse autoregressive flow as posterior; the latent term is E[log q(z | x) - log p(z)]."""

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.flow = self.make_flow()

    def make_flow(self) -> Flow:
        """Build the posterior, a distribution given the features of the encoder."""
        return posterior_flow(self.latent, self.encoder.features)

    def distribution(self, mel: Float[Tensor, "items mels frames"]) -> NormalizingFlow:
        """Compute the posteriors from spectrograms that are not standardised."""
        return self.flow(self.encoder(self.standardise(mel)))

    def encode(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items latent"]:
        """Map the mean of the base Gaussian of each sound to a latent."""
        return centre(self.distribution(mel))

    def posterior(self, mel: Float[Tensor, "items mels frames"]) -> tuple[Float[Tensor, "items latent"], Tensor]:
        """Sample from the posterior of each sound; estimate its KL divergence from the prior from that sample."""
        z, log_density = self.distribution(mel).rsample_and_log_prob()
        return z, self.divergence(z, log_density, mel)

    def divergence(
        self,
        z: Float[Tensor, "items latent"],
        log_density: Float[Tensor, " items"],
        mel: Float[Tensor, "items mels frames"],
    ) -> Tensor:
        """Compute the latent term with the prior N(0, I).

        Args:
            z: Samples from the posteriors of the sounds.
            log_density: Log-densities of the samples, in nats.
            mel: Log-mel spectrograms of the sounds, not standardised.
        """
        return monte_carlo_kl(z, log_density, normal(torch.zeros_like(z), torch.ones_like(z)))
