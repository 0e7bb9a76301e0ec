"""A Wasserstein autoencoder and a regressor on its latent, trained together.

References:
    Esling et al. 2019; the weight of the latent term, 1, and the kernel are those of the published code.
    Tolstikhin et al. 2018, "Wasserstein auto-encoders": WAE-MMD.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from flowsynth.models.autoencoders.base import GaussianModel, mmd, sample


class WAE(GaussianModel):
    """A Gaussian encoder; the latent term is the discrepancy of a batch's latents as a whole from the prior N(0, I)."""

    def posterior(self, mel: Float[Tensor, "items mels frames"]) -> tuple[Float[Tensor, "items latent"], Tensor]:
        """Draw from the Gaussian of each sound, and give the MMD of all these from as many draws from the prior."""
        z = sample(*self.gaussian(mel))
        return z, mmd(z, torch.randn_like(z))
