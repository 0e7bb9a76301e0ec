"""The paper's conditional amortisation: a flow over presets whose parameters are put out by a network that hears the latent.

Sounds are heard as by VAEFlow, whose perceptron is replaced: parameters are drawn from a density p(v | z), so that
p(v | x) = E[p(v | z)] over the posterior q(z | x). It is trained on -log p(v | z) of one z drawn for each item, which is no
less than -log p(v | x) on average.

References:
    Esling et al. 2020, section "Conditional amortization". The published code that bears its name, a flow whose weights are
    drawn from one Gaussian for all sounds, has its conditioning left out; this one is conditioned, as the paper has it.
    Papamakarios et al. 2017 and Durkan et al. 2019 for the flow.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from flowsynth.models.autoencoders.vae_flow import VAEFlow
from flowsynth.models.nn.flows import conditional_flow, draw
from flowsynth.models.nn.transforms import dequantise


class FlowCond(VAEFlow):
    """Draws presets from an autoregressive spline flow given the latent; the parameter term is its negative log-likelihood.

    The term is in nats per parameter, the logarithm of a density over [0, 1]: 0 is what a uniform guess gets.
    """

    def make_regressor(self) -> torch.nn.Module:
        """Make the flow."""
        return conditional_flow(self.parameters_inferred, self.latent)

    def parameter_loss(self, z: Float[Tensor, "items latent"], values: Float[Tensor, "items parameters"]) -> Tensor:
        """Give -log p(v | z), the mean over items and parameters."""
        return -self.regressor(z).log_prob(dequantise(values)).mean() / self.parameters_inferred

    def answer(self, z: Float[Tensor, "*n items latent"], n: int) -> Float[Tensor, "n items parameters"]:
        """Draw `n` presets for each latent, or one for each of n x items latents."""
        return draw(self.regressor(z), n).clamp(0, 1)

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Draw from p(v | x): `n` latents from the posterior of each sound, and a preset for each of these."""
        return self.answer(draw(self.distribution(mel), n), n)
