"""Posterior parameterisation of the paper: an invertible map between the latent space and the space of presets.

A latent z and a preset v = f(z) are the same point in two coordinate systems. The posterior q(z | x) of a sound
therefore also defines a density of presets,

    p(v | x) = q(f^-1(v) | x) |det d f^-1 / dv|,

which training maximises: f^-1 maps each training preset to a latent, at which the posterior of its sound is evaluated.
To predict, latents are sampled from the posterior and mapped by f. Training needs the density of the posterior at
points that are not its samples. The posterior is therefore a Gaussian followed by conditional couplings, which are
cheap in both directions (`flows.coupling_posterior`), unlike the inverse autoregressive flow of VAEFlow.

References:
    Esling et al. 2019; Esling et al. 2020, section "Posterior parameterization".
    Rezende and Mohamed 2015, Dinh et al. 2017, Durkan et al. 2019 for the flows.
"""

from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Normal
from zuko.distributions import NormalizingFlow
from zuko.lazy import Flow

from flowsynth.data.dataset import Batch
from flowsynth.models.autoencoders.vae_flow import VAEFlow
from flowsynth.models.nn.flows import coupling_posterior, sample_flow
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.transforms import RegressionFlow, dequantise
from flowsynth.synths.parameter_space import ParameterSpace


class FlowReg(VAEFlow):
    """Samples latents from a flow posterior and maps them to presets by an invertible flow.

    Attributes:
        objective: Parameter term, in nats per parameter. ``likelihood``: -log p(v | x) as above. ``published``: as in
            the published code, -log N(v; f(z), s^2) of a sample z with a learnt s per parameter, minus the mean
            log-determinant of f divided by items x parameters. The latter has little weight, so this is a regression to
            the point f(z). The published code also samples s from a distribution and adds a term for it with the wrong
            sign; both are omitted.
        detached: Whether the reconstruction trains the decoder only, and not the posterior. Otherwise the posterior
            gives most of its mass to latents that are decoded well, which need not be those of plausible presets: a
            narrow peak at the true preset costs the likelihood little.
    """

    objective: ClassVar[Literal["likelihood", "published"]] = "likelihood"
    detached: ClassVar[bool] = False
    regressor: RegressionFlow

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        if self.objective == "published":
            self.log_std = nn.Parameter(torch.zeros(self.num_parameters))

    def make_flow(self) -> Flow:
        """Build the posterior, a distribution given the features of the encoder."""
        return coupling_posterior(self.latent, self.encoder.features)

    def make_regressor(self) -> nn.Module:
        """Build the map between latents and presets."""
        return RegressionFlow(self.num_parameters)

    def to_parameters(self, z: Float[Tensor, "*items latent"]) -> Float[Tensor, "*items parameters"]:
        """Map latents to presets, clamped to [0, 1]."""
        return self.regressor.to_parameters(z)[0].clamp(0, 1)

    def to_latent(self, values: Float[Tensor, "*items parameters"]) -> Float[Tensor, "*items latent"]:
        """Map presets, with parameters in [0, 1], to latents."""
        return self.regressor.to_latent(values)[0]

    def log_density(
        self, posterior: NormalizingFlow, values: Float[Tensor, "*n items parameters"]
    ) -> Float[Tensor, "*n items"]:
        """Compute log p(v | x) in nats.

        Args:
            posterior: Posterior of the latents of the sounds x.
            values: Dequantised presets v.
        """
        z, log_determinant = self.regressor.to_latent(values)
        return posterior.log_prob(z) + log_determinant

    def log_prob(
        self, mel: Float[Tensor, "items mels frames"], presets: Float[Tensor, "n items parameters"]
    ) -> Float[Tensor, "n items"]:
        """Compute log p(preset | sound) in nats."""
        return self.log_density(self.distribution(mel), presets)

    def parameter_loss(self, z: Float[Tensor, "items latent"], values: Float[Tensor, "items parameters"]) -> Tensor:
        """Compute the published parameter term, averaged over items and parameters."""
        predictions, log_determinant = self.regressor.to_parameters(z)
        error = -Normal(predictions, self.log_std.exp(), validate_args=False).log_prob(values).mean()
        return error - log_determinant.mean() / values.numel()

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the terms of the loss; the likelihood is that of the whole posterior, not of one sample."""
        if self.objective == "published":
            return super().loss(batch)
        posterior = self.distribution(batch.mel)
        z, log_density = posterior.rsample_and_log_prob()
        parameters = -self.log_density(posterior, dequantise(batch.values)).mean() / self.num_parameters
        divergence = self.divergence(z, log_density, batch.mel)
        return self.weighted_loss(batch.mel, z.detach() if self.detached else z, divergence, parameters)

    def decode_parameters(self, z: Float[Tensor, "*n items latent"], n: int) -> Float[Tensor, "n items parameters"]:
        """Map each latent to its preset; with one latent per item, the prediction is repeated."""
        return self.to_parameters(z).expand(n, -1, -1)

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Sample from p(v | x): `n` latents from the posterior of each sound, mapped to presets."""
        return self.decode_parameters(sample_flow(self.distribution(mel), n), n)
