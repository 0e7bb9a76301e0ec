"""Conditional amortisation of the paper: a flow over presets that is conditioned on the latent.

Sounds are encoded as in VAEFlow. Its perceptron is replaced by a density p(v | z) that parameters are sampled from, so
that p(v | x) = E[p(v | z)] over the posterior q(z | x). The parameter term is -log p(v | z) for one sample z per item,
which on average is an upper bound of -log p(v | x).

References:
    Esling et al. 2020, section "Conditional amortization". The published code of that name, a flow whose weights are
    sampled from one Gaussian for all sounds, has no conditioning; this one is conditioned, as in the paper.
    Papamakarios et al. 2017 and Durkan et al. 2019 for the flow.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from flowsynth.models.autoencoders.vae_flow import VAEFlow
from flowsynth.models.nn.flows import conditional_flow, sample_flow
from flowsynth.models.nn.transforms import dequantise


class FlowCond(VAEFlow):
    """Samples presets from an autoregressive spline flow given the latent; trained on its negative log-likelihood.

    The parameter term is in nats per parameter, for a density over [0, 1]; a uniform density has 0.
    """

    def make_regressor(self) -> torch.nn.Module:
        """Build the flow."""
        return conditional_flow(self.num_parameters, self.latent)

    def parameter_loss(self, z: Float[Tensor, "items latent"], values: Float[Tensor, "items parameters"]) -> Tensor:
        """Compute -log p(v | z), averaged over items and parameters."""
        return -self.regressor(z).log_prob(dequantise(values)).mean() / self.num_parameters

    def decode_parameters(self, z: Float[Tensor, "*n items latent"], n: int) -> Float[Tensor, "n items parameters"]:
        """Sample `n` presets for each latent, or one for each of n x items latents."""
        return sample_flow(self.regressor(z), n).clamp(0, 1)

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Sample from p(v | x): `n` latents from the posterior of each sound, and a preset for each latent."""
        return self.decode_parameters(sample_flow(self.distribution(mel), n), n)
