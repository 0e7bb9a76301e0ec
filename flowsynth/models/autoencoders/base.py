"""Base classes of autoencoder models: sounds are encoded into a latent, from which sounds and parameters are decoded.

As in the paper, the latent has as many dimensions as there are parameters, so that a flow can map one to the other. All
terms of the loss are means over the items of a batch, so that their balance does not depend on its size:

    loss = reconstruction + beta x latent + gamma x parameters

The reconstruction term is a sum over the bins of the standardised spectrogram, the latent term a sum over the latent
dimensions, and the parameter term a mean over parameters. In the published code the reconstruction term is a sum over
batch, bands and frames divided by the number of bands, which is the same for its 64 bands and batches of 64.

References:
    Esling et al. 2019.
    Kingma and Welling 2014, "Auto-encoding variational Bayes": the stochastic encoder and its closed-form KL term.
    Sonderby et al. 2016, "How to train deep variational autoencoders and probabilistic ladder networks": the warm-up.
"""

from abc import abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Model
from flowsynth.models.nn import networks
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.outputs import ParameterOutputs
from flowsynth.synths.parameter_space import ParameterSpace

MAX_LOGVAR = 10.0  # log-variances are clamped to +- this: e^10 does not overflow, and posteriors stay well within it


class LatentModel(Model):
    """Base class of models that predict parameters from the latent of an autoencoder.

    A subclass defines how sounds are encoded (`encode`, `posterior`), and optionally how parameters are predicted from
    latents (`make_regressor`, `parameter_loss`, `decode_parameters`). It initialises the networks that it adds.

    Attributes:
        full_gamma: Weight of the parameter term after its warm-up. It is 1000, as in the published code: the term is a
            mean over parameters, and the reconstruction term a sum over thousands of bins. The published code has 100
            for its flows; with 1000, likelihoods of the validation set are higher.
        beta: Weight of the latent term; 1 before the first call of `at_epoch`.
        gamma: Weight of the parameter term; `full_gamma` before the first call of `at_epoch`.
        latent: Number of latent dimensions, equal to the number of parameters.
        halved: Sizes of the networks: half the channels and units of the CNN, as in the paper.
    """

    kind: ClassVar[str] = "autoencoders"
    capturable = True
    full_gamma: ClassVar[float] = 1000.0

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.beta, self.gamma = 1.0, self.full_gamma
        self.latent, self.halved = self.num_parameters, size.halved()
        self.encoder = networks.Encoder(mels, frames, self.halved)
        self.decoder = networks.Decoder(self.latent, mels, frames, self.halved)
        networks.initialise(self)
        self.outputs = ParameterOutputs(parameters)
        self.regressor = self.make_regressor()

    def at_epoch(self, epoch: int, epochs: int) -> None:
        """Set the weights of the loss; each warm-up is a fifth of the training, as in the paper (100 of 500 epochs).

        In the first fifth beta grows from 0 to 1 while gamma is 0; in the second, gamma grows from 0 to `full_gamma`. A
        training of fewer than five epochs has no warm-up.
        """
        fifth = epochs // 5
        fifths = epoch / fifth if fifth else 2.0
        self.beta = min(fifths, 1.0)
        self.gamma = self.full_gamma * min(max(fifths - 1.0, 0.0), 1.0)

    @abstractmethod
    def encode(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items latent"]:
        """Compute a point estimate of the latent of each sound: its mean if the encoder is stochastic.

        Args:
            mel: Log-mel spectrograms, not standardised.
        """

    @abstractmethod
    def posterior(self, mel: Float[Tensor, "items mels frames"]) -> tuple[Float[Tensor, "items latent"], Tensor]:
        """Compute a latent of each sound for training, and the latent term.

        Args:
            mel: Log-mel spectrograms, not standardised.

        Returns:
            A latent per item, a sample if the encoder is stochastic; the latent term, a scalar.
        """

    def decode(self, z: Float[Tensor, "items latent"]) -> Float[Tensor, "items mels frames"]:
        """Decode latents to log-mel spectrograms that are not standardised."""
        return self.decoder(z) * self.mel_std + self.mel_mean

    def make_regressor(self) -> nn.Module:
        """Build the network that predicts parameters: a perceptron of two layers (three in the published code)."""
        regressor = networks.mlp(self.latent, self.outputs.raw, 2, self.halved)
        networks.initialise(regressor)
        return regressor

    def parameter_loss(self, z: Float[Tensor, "items latent"], values: Float[Tensor, "items parameters"]) -> Tensor:
        """Compute the parameter term, a scalar; here the error of `ParameterOutputs`."""
        return self.outputs.loss(self.regressor(z), values)

    def decode_parameters(self, z: Float[Tensor, "items latent"], n: int) -> Float[Tensor, "n items parameters"]:
        """Predict `n` presets in [0, 1] for each latent; here one prediction is repeated."""
        return self.outputs(self.regressor(z)).expand(n, -1, -1)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the weighted sum of the terms; ``selection`` is the parameter term once that is trained."""
        z, latent = self.posterior(batch.mel)
        return self.weighted_loss(batch.mel, z, latent, self.parameter_loss(z, batch.values))

    def weighted_loss(
        self,
        mel: Float[Tensor, "items mels frames"],
        z: Float[Tensor, "items latent"],
        latent: Tensor,
        parameters: Tensor,
    ) -> dict[str, Tensor]:
        """Compute the reconstruction term and the weighted sum of all terms.

        Args:
            mel: Log-mel spectrograms, not standardised.
            z: Latents from which to reconstruct them.
            latent: The latent term.
            parameters: The parameter term.
        """
        reconstruction = reconstruction_loss(self.decoder(z), self.standardise(mel))
        loss, selection = reconstruction, torch.full_like(parameters, torch.inf)
        # omit a term instead of multiplying it by 0: Adam would count the step, and 0 x infinity is not a number
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
        """Predict from the mean of the posterior; the published code samples one latent, without a seed."""
        return self.decode_parameters(self.encode(mel), n)


class GaussianModel(LatentModel):
    """Base class of latent models whose posterior is a Gaussian with independent dimensions."""

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.mean = nn.Linear(self.encoder.features, self.latent)
        self.logvar = nn.Linear(self.encoder.features, self.latent)
        networks.initialise(self.mean)
        networks.initialise(self.logvar)

    def gaussian(
        self, mel: Float[Tensor, "items mels frames"]
    ) -> tuple[Float[Tensor, "items latent"], Float[Tensor, "items latent"]]:
        """Compute mean and log-variance, within +-`MAX_LOGVAR`, from spectrograms that are not standardised."""
        features = self.encoder(self.standardise(mel))
        return self.mean(features), self.logvar(features).clamp(-MAX_LOGVAR, MAX_LOGVAR)

    def encode(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items latent"]:
        """Compute the mean of the posterior of each sound."""
        return self.gaussian(mel)[0]


def reconstruction_loss(
    reconstruction: Float[Tensor, "items mels frames"], target: Float[Tensor, "items mels frames"]
) -> Float[Tensor, ""]:
    """Sum squared errors over the bins of each item, and average over the items.

    >>> reconstruction_loss(torch.zeros(5, 4, 3), torch.ones(5, 4, 3))
    tensor(12.)
    """
    return (reconstruction - target).square().sum(dim=(1, 2)).mean()


def sample(mean: Float[Tensor, "items latent"], logvar: Float[Tensor, "items latent"]) -> Float[Tensor, "items latent"]:
    """Sample from Gaussians by the reparameterisation trick."""
    return mean + torch.exp(logvar / 2) * torch.randn_like(mean)


def kl_to_prior(mean: Float[Tensor, "items latent"], logvar: Float[Tensor, "items latent"]) -> Float[Tensor, ""]:
    """Compute the KL divergence of Gaussians from the prior N(0, I) in nats, averaged over the items.

    References:
        Kingma and Welling 2014, appendix B.

    >>> kl_to_prior(torch.ones(3, 2), torch.zeros(3, 2))
    tensor(1.)
    """
    return (mean.square() + logvar.exp() - 1 - logvar).sum(dim=1).mean() / 2


def mmd(a: Float[Tensor, "first latent"], b: Float[Tensor, "second latent"]) -> Float[Tensor, ""]:
    """Estimate the maximum mean discrepancy of two samples (biased), with the kernel exp(-|a - b|^2 / dimensions^2).

    References:
        Gretton et al. 2012, "A kernel two-sample test", equation 5 (its square).
        Esling et al. 2019: the kernel, from the published code.
    """

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return torch.exp(-(x[:, None] - y[None]).square().sum(dim=2) / x.shape[1] ** 2).mean()

    return kernel(a, a) + kernel(b, b) - 2 * kernel(a, b)
