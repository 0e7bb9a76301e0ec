"""A variational autoencoder and a regressor on its latent, trained together.

References:
    Esling et al. 2019.
    Kingma and Welling 2014, "Auto-encoding variational Bayes".
"""

from jaxtyping import Float
from torch import Tensor

from flowsynth.models.autoencoders.base import GaussianModel, kl_to_prior, sample


class VAE(GaussianModel):
    """A Gaussian encoder; the latent term is the KL divergence of each item's Gaussian from the prior N(0, I)."""

    def posterior(self, mel: Float[Tensor, "items mels frames"]) -> tuple[Float[Tensor, "items latent"], Tensor]:
        """Draw from the Gaussian of each sound, and give its KL divergence from the prior, the mean over the sounds."""
        mean, logvar = self.gaussian(mel)
        return sample(mean, logvar), kl_to_prior(mean, logvar)
