"""Variational autoencoder and a regressor on its latent, trained jointly.

References:
    Esling et al. 2019.
    Kingma and Welling 2014, "Auto-encoding variational Bayes".
"""

from jaxtyping import Float
from torch import Tensor

from flowsynth.models.autoencoders.base import GaussianModel, kl_to_prior, sample


class VAE(GaussianModel):
    """Autoencoder with a Gaussian posterior; the latent term is its KL divergence from the prior N(0, I)."""

    def posterior(self, mel: Float[Tensor, "items mels frames"]) -> tuple[Float[Tensor, "items latent"], Tensor]:
        """Sample from the posterior of each sound; compute its mean KL divergence from the prior."""
        mean, logvar = self.gaussian(mel)
        return sample(mean, logvar), kl_to_prior(mean, logvar)
