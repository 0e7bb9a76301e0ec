"""A variational autoencoder whose posterior is a normalising flow, and a regressor on its latent, trained together.

References:
    Esling et al. 2019: an inverse autoregressive flow of 16 steps. The published code reads the steps' weights off nothing
    but themselves (`flows.posterior_flow`); here they hear the sound, as the paper has it.
    Kingma et al. 2016, "Improving variational inference with inverse autoregressive flow".
"""

import torch
from jaxtyping import Float
from torch import Tensor
from zuko.distributions import NormalizingFlow
from zuko.lazy import Flow

from flowsynth.models.autoencoders.base import LatentModel
from flowsynth.models.nn.flows import centre, kl_by_draws, normal, posterior_flow
from flowsynth.models.nn.networks import Size


class VAEFlow(LatentModel):
    """A Gaussian encoder and an inverse autoregressive flow; the latent term is E[log q(z | x) - log p(z)] of its draws."""

    def __init__(self, mels: int, frames: int, parameters: int, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.flow = self.make_flow()

    def make_flow(self) -> Flow:
        """Make the posterior, a distribution for the encoder's features."""
        return posterior_flow(self.latent, self.encoder.features)

    def distribution(self, mel: Float[Tensor, "items mels frames"]) -> NormalizingFlow:
        """Give the posteriors of sounds that are not standardised."""
        return self.flow(self.encoder(self.standardise(mel)))

    def encode(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items latent"]:
        """Give the latent that the mean of each sound's Gaussian is mapped to."""
        return centre(self.distribution(mel))

    def posterior(self, mel: Float[Tensor, "items mels frames"]) -> tuple[Float[Tensor, "items latent"], Tensor]:
        """Draw from the posterior of each sound, and estimate its KL divergence from the prior by that draw."""
        z, log_density = self.distribution(mel).rsample_and_log_prob()
        return z, self.divergence(z, log_density, mel)

    def divergence(
        self,
        z: Float[Tensor, "items latent"],
        log_density: Float[Tensor, " items"],
        mel: Float[Tensor, "items mels frames"],
    ) -> Tensor:
        """Give the latent term, of which the prior is N(0, I).

        Args:
            z: Draws from the posteriors of the sounds.
            log_density: Of the draws.
            mel: The sounds, not standardised.
        """
        return kl_by_draws(z, log_density, normal(torch.zeros_like(z), torch.ones_like(z)))
