"""The paper's posterior parameterisation: an invertible map between the latent space of sounds and the space of presets.

A latent z and a preset v = f(z) are one point in two coordinates. The posterior q(z | x) of a sound is therefore also a
density of presets,

    p(v | x) = q(f^-1(v) | x) |det d f^-1 / dv|,

and the model is trained on it: f^-1 places each training preset in the latent space, the posterior of its sound has to be
there. To answer, latents are drawn from the posterior and mapped by f. That needs the posterior's density at points it did
not draw itself, in every step: here the posterior is a Gaussian followed by couplings that hear the sound, cheap in both
directions (`flows.coupling_posterior`), and not VAEFlow's inverse autoregressive flow, which is not.

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
from flowsynth.models.nn.flows import coupling_posterior, draw
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.transforms import Regression, dequantise


class FlowReg(VAEFlow):
    """Draws latents from a flow posterior and maps them to presets by an invertible flow.

    Attributes:
        objective: What the parameter term is, in nats per parameter. ``likelihood``: -log p(v | x) as above. ``published``:
            as in the published code, -log N(v; f(z), s^2) of a drawn z with a learnt s for each parameter, and minus the
            mean log-determinant of f divided by items x parameters, so that it hardly weighs: a regression to the point
            f(z). That code also draws s from a distribution and adds a term for it with the wrong sign; both are left out.
    """

    capturable = False  # not tried on a GPU since its couplings wait for no device
    objective: ClassVar[Literal["likelihood", "published"]] = "likelihood"
    regressor: Regression

    def __init__(self, mels: int, frames: int, parameters: int, size: Size):
        super().__init__(mels, frames, parameters, size)
        if self.objective == "published":
            self.log_std = nn.Parameter(torch.zeros(parameters))

    def make_flow(self) -> Flow:
        """Make the posterior, a distribution for the encoder's features."""
        return coupling_posterior(self.latent, self.encoder.features)

    def make_regressor(self) -> nn.Module:
        """Make the map."""
        return Regression(self.parameters_inferred)

    def to_parameters(self, z: Float[Tensor, "*items latent"]) -> Float[Tensor, "*items parameters"]:
        """Place latents in the space of presets; parameters in [0, 1]."""
        return self.regressor.to_parameters(z)[0].clamp(0, 1)

    def to_latent(self, values: Float[Tensor, "*items parameters"]) -> Float[Tensor, "*items latent"]:
        """Place presets, whose parameters are in [0, 1], in the latent space."""
        return self.regressor.to_latent(values)[0]

    def log_density(
        self, posterior: NormalizingFlow, values: Float[Tensor, "items parameters"]
    ) -> Float[Tensor, " items"]:
        """Give log p(v | x) in nats.

        Args:
            posterior: Of the latents of the sounds x.
            values: The presets v, dequantised.
        """
        z, log_determinant = self.regressor.to_latent(values)
        return posterior.log_prob(z) + log_determinant

    def parameter_loss(self, z: Float[Tensor, "items latent"], values: Float[Tensor, "items parameters"]) -> Tensor:
        """Give the published parameter term, the mean over items and parameters."""
        found, log_determinant = self.regressor.to_parameters(z)
        error = -Normal(found, self.log_std.exp(), validate_args=False).log_prob(values).mean()
        return error - log_determinant.mean() / values.numel()

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Give the terms of every latent model; the likelihood is that of the posterior, not of one latent drawn."""
        if self.objective == "published":
            return super().loss(batch)
        posterior = self.distribution(batch.mel)
        z, log_density = posterior.rsample_and_log_prob()
        parameters = -self.log_density(posterior, dequantise(batch.values)).mean() / self.parameters_inferred
        return self.weigh(batch.mel, z, self.divergence(z, log_density, batch.mel), parameters)

    def answer(self, z: Float[Tensor, "*n items latent"], n: int) -> Float[Tensor, "n items parameters"]:
        """Map each latent to its preset; for one latent an item, the answer is repeated."""
        return self.to_parameters(z).expand(n, -1, -1)

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Draw from p(v | x): `n` latents from the posterior of each sound, mapped to presets."""
        return self.answer(draw(self.distribution(mel), n), n)
