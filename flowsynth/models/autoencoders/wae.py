"""Wasserstein autoencoder and a regressor on its latent, trained jointly.

References:
    Esling et al. 2019; the weight of the latent term, 1, and the kernel are those of the published code.
    Tolstikhin et al. 2018, "Wasserstein auto-encoders": WAE-MMD.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from flowsynth.models.autoencoders.base import GaussianModel, mmd, sample


class WAE(GaussianModel):
    """Autoencoder with a Gaussian posterior; the latent term is the MMD of a batch from the prior N(0, I)."""

    def posterior(self, mel: Float[Tensor, "items mels frames"]) -> tuple[Float[Tensor, "items latent"], Tensor]:
        """Sample from the posterior of each sound; compute the MMD from as many samples of the prior."""
        z = sample(*self.gaussian(mel))
        return z, mmd(z, torch.randn_like(z))
