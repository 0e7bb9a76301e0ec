"""What the autoencoder models share: sounds are encoded into a latent, from which sounds and parameters are decoded.

The latent has as many dimensions as there are parameters to infer, as in the paper, so that a flow can map the one to the
other. All terms of the loss are means over the items of a batch, so that their balance does not depend on its size:

    loss = reconstruction + beta x latent + gamma x parameters

The reconstruction is a sum over the bins of the standardised spectrogram, the latent term a sum over its dimensions, the
parameter term a mean over parameters. In the published code the reconstruction is a sum over batch, bands and frames
divided by the number of bands, which is the same for its 64 bands and batches of 64.

References:
    Esling et al. 2019.
    Kingma and Welling 2014, "Auto-encoding variational Bayes": the stochastic encoder and its closed form of the KL term.
    Sonderby et al. 2016, "How to train deep variational autoencoders and probabilistic ladder networks": the warm-up.
"""

from abc import abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Model
from flowsynth.models.nn import networks
from flowsynth.models.nn.networks import Size

LOGVAR = 10.0  # log-variances are clamped to +- this: e^10 is far from overflow, and no posterior needs a wider range


class LatentModel(Model):
    """A model that infers the parameters from the latent of an autoencoder.

    A derived model says how sounds get their latent (`encode`, `posterior`) and may say how parameters are inferred from
    it (`make_regressor`, `parameter_loss`, `answer`). What these make is initialised by them.

    Attributes:
        full_gamma: Weight of the parameter term after its warm-up: the published code's 1000, for a term that is a mean
            over parameters beside a reconstruction that is a sum over some thousand bins. That code has 100 for its
            flows; likelihoods of the validation part are higher with 1000.
        beta: Weight of the latent term. Of a model that was not told of epochs it is 1.
        gamma: Weight of the parameter term. Of a model that was not told of epochs it is `full_gamma`.
        latent: Dimensions of the latent, as many as parameters.
        halved: Sizes of the networks: channels and units are half those of the CNN, as in the paper.
    """

    capturable = True
    full_gamma: ClassVar[float] = 1000.0

    def __init__(self, mels: int, frames: int, parameters: int, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.beta, self.gamma = 1.0, self.full_gamma
        self.latent, self.halved = parameters, size.halved()
        self.encoder = networks.Encoder(mels, frames, self.halved)
        self.decoder = networks.Decoder(self.latent, mels, frames, self.halved)
        networks.initialise(self)
        self.regressor = self.make_regressor()

    def at_epoch(self, epoch: int, epochs: int) -> None:
        """Set the warm-ups, which are fifths of the training as in the paper (100 of 500 epochs).

        In the first fifth beta grows from 0 to 1 while gamma is 0, in the second gamma grows from 0 to `full_gamma`. A
        training of less than five epochs has no warm-up.
        """
        fifth = epochs // 5
        fifths = epoch / fifth if fifth else 2.0
        self.beta = min(fifths, 1.0)
        self.gamma = self.full_gamma * min(max(fifths - 1.0, 0.0), 1.0)

    @abstractmethod
    def encode(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items latent"]:
        """Give the one latent of each sound: the mean where the encoder is stochastic.

        Args:
            mel: Log-mel spectrograms, not standardised.
        """

    @abstractmethod
    def posterior(self, mel: Float[Tensor, "items mels frames"]) -> tuple[Float[Tensor, "items latent"], Tensor]:
        """Give a latent of each sound to train with, and the latent term.

        Args:
            mel: Log-mel spectrograms, not standardised.

        Returns:
            A latent of each item, a sample where the encoder is stochastic; the latent term, a scalar.
        """

    def decode(self, z: Float[Tensor, "items latent"]) -> Float[Tensor, "items mels frames"]:
        """Give the log-mel spectrograms of latents, in the units of those that are encoded."""
        return self.decoder(z) * self.mel_std + self.mel_mean

    def make_regressor(self) -> nn.Module:
        """Make the network that infers parameters: a perceptron of two layers (the published code: three)."""
        regressor = networks.mlp(self.latent, self.parameters_inferred, 2, self.halved)
        networks.initialise(regressor)
        return regressor

    def parameter_loss(self, z: Float[Tensor, "items latent"], values: Float[Tensor, "items parameters"]) -> Tensor:
        """Give the parameter term, a scalar: how badly the latents tell the parameters; here the mean squared error."""
        return mse_loss(torch.sigmoid(self.regressor(z)), values)

    def answer(self, z: Float[Tensor, "items latent"], n: int) -> Float[Tensor, "n items parameters"]:
        """Give `n` answers in [0, 1] for each latent; here the one answer is repeated."""
        return torch.sigmoid(self.regressor(z)).expand(n, -1, -1)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Weigh reconstruction, latent and parameters; `selection` is the parameter term where that is trained."""
        z, latent = self.posterior(batch.mel)
        return self.weigh(batch.mel, z, latent, self.parameter_loss(z, batch.values))

    def weigh(
        self,
        mel: Float[Tensor, "items mels frames"],
        z: Float[Tensor, "items latent"],
        latent: Tensor,
        parameters: Tensor,
    ) -> dict[str, Tensor]:
        """Put the terms together.

        Args:
            mel: Log-mel spectrograms, not standardised.
            z: A latent of each, to reconstruct it from.
            latent: The latent term.
            parameters: The parameter term.
        """
        reconstruction = reconstruction_loss(self.decoder(z), self.standardise(mel))
        loss, selection = reconstruction, torch.full_like(parameters, torch.inf)
        # left out rather than multiplied by 0: Adam would count steps that were none, and 0 x infinity is no number
        if self.beta > 0:
            loss = loss + self.beta * latent
        if self.gamma > 0:
            loss, selection = loss + self.gamma * parameters, parameters
        return {
            "loss": loss,
            "reconstruction": reconstruction,
            "latent": latent,
            "parameters": parameters,
            "selection": selection,
        }

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Answer from the mean of the posterior; the published code draws one latent, without a seed."""
        return self.answer(self.encode(mel), n)


class GaussianModel(LatentModel):
    """A latent model whose encoder gives a Gaussian of independent dimensions."""

    def __init__(self, mels: int, frames: int, parameters: int, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.mean = nn.Linear(self.encoder.features, self.latent)
        self.logvar = nn.Linear(self.encoder.features, self.latent)
        networks.initialise(self.mean)
        networks.initialise(self.logvar)

    def gaussian(
        self, mel: Float[Tensor, "items mels frames"]
    ) -> tuple[Float[Tensor, "items latent"], Float[Tensor, "items latent"]]:
        """Give mean and log-variance, the latter within +-10, of the latents of sounds that are not standardised."""
        features = self.encoder(self.standardise(mel))
        return self.mean(features), self.logvar(features).clamp(-LOGVAR, LOGVAR)

    def encode(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items latent"]:
        """Give the mean of each sound's Gaussian."""
        return self.gaussian(mel)[0]


def reconstruction_loss(
    found: Float[Tensor, "items mels frames"], true: Float[Tensor, "items mels frames"]
) -> Float[Tensor, ""]:
    """Sum of the squared errors of an item, its mean over the items."""
    return (found - true).square().sum(dim=(1, 2)).mean()


def sample(mean: Float[Tensor, "items latent"], logvar: Float[Tensor, "items latent"]) -> Float[Tensor, "items latent"]:
    """Draw from Gaussians, differentiably in mean and log-variance."""
    return mean + torch.exp(logvar / 2) * torch.randn_like(mean)


def kl_to_prior(mean: Float[Tensor, "items latent"], logvar: Float[Tensor, "items latent"]) -> Float[Tensor, ""]:
    """KL divergence in nats of Gaussians from the prior N(0, I), its mean over the items.

    References:
        Kingma and Welling 2014, appendix B.
    """
    return (mean.square() + logvar.exp() - 1 - logvar).sum(dim=1).mean() / 2


def mmd(a: Float[Tensor, "first latent"], b: Float[Tensor, "second latent"]) -> Float[Tensor, ""]:
    """Maximum mean discrepancy of two samples, the biased estimate, with the kernel exp(-|a - b|^2 / dimensions^2).

    References:
        Gretton et al. 2012, "A kernel two-sample test", equation 5 (its square).
        Esling et al. 2019: the kernel, from the published code.
    """

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return torch.exp(-(x[:, None] - y[None]).square().sum(dim=2) / x.shape[1] ** 2).mean()

    return kernel(a, a) + kernel(b, b) - 2 * kernel(a, b)
