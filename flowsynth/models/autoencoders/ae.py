"""Autoencoder and a regressor on its latent, trained jointly.

References:
    Esling et al. 2019.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowsynth.models.autoencoders.base import LatentModel
from flowsynth.models.nn import networks
from flowsynth.models.nn.networks import Size
from flowsynth.synths.parameter_space import ParameterSpace


class AE(LatentModel):
    """Autoencoder with a deterministic encoder; there is no latent term."""

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.head = nn.Linear(self.encoder.features, self.latent)
        networks.initialise(self.head)

    def encode(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items latent"]:
        """Compute the latent of each sound."""
        return self.head(self.encoder(self.standardise(mel)))

    def posterior(self, mel: Float[Tensor, "items mels frames"]) -> tuple[Float[Tensor, "items latent"], Tensor]:
        """Return the latent of each sound, and 0."""
        return self.encode(mel), torch.zeros((), device=mel.device)
