"""Mixture density network, a likelihood baseline for the flows, on the same encoder.

References:
    Bishop 1994, "Mixture density networks".
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import log_softmax, softplus

from flowsynth.models.density.base import DensityModel
from flowsynth.models.nn import networks
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.transforms import logit_transform
from flowsynth.synths.parameter_space import ParameterSpace

COMPONENTS = 16
MIN_STD = 1e-2  # minimum standard deviation of a component, in units of half logits


class MDN(DensityModel):
    """Mixture of Gaussians with diagonal covariance over the logits of presets; -log p(v | x) per parameter."""

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.head = nn.Linear(self.features, COMPONENTS * (1 + 2 * self.scales))
        networks.initialise(self.head)

    def mixture(
        self, context: Float[Tensor, "*items features"]
    ) -> tuple[
        Float[Tensor, "*items components"],
        Float[Tensor, "*items components scales"],
        Float[Tensor, "*items components scales"],
    ]:
        """Compute log-weights, means and standard deviations."""
        raw = self.head(context)
        weights, mean, std = raw.split([COMPONENTS, *[COMPONENTS * self.scales] * 2], dim=-1)
        shape = (COMPONENTS, self.scales)
        return (
            log_softmax(weights, dim=-1),
            mean.unflatten(-1, shape),
            softplus(std).unflatten(-1, shape) + MIN_STD,
        )

    def log_density(
        self, context: Float[Tensor, "items features"], values: Float[Tensor, "items scales"]
    ) -> Float[Tensor, " items"]:
        """Compute the log-density of dequantised parameters."""
        weights, mean, std = self.mixture(context)
        transform = logit_transform()
        logits = transform(values)
        normal = torch.distributions.Normal(mean, std, validate_args=False)
        log_density = torch.logsumexp(weights + normal.log_prob(logits[:, None]).sum(dim=2), dim=1)
        return log_density + transform.log_abs_det_jacobian(values, logits).sum(dim=1)

    def sample(
        self, context: Float[Tensor, "items features"] | Float[Tensor, "n items features"], n: int
    ) -> Float[Tensor, "n items scales"]:
        """Sample `n` presets per item."""
        weights, mean, std = self.mixture(context)
        uniform = torch.rand(n, 1, 1).to(context.device)  # the same on every device, as all noise of predictions
        # sample a component by the inverse of its cumulative distribution
        component = (weights.exp().cumsum(dim=-1) < uniform).sum(dim=2).clamp(max=COMPONENTS - 1)
        index = component[..., None, None].expand(-1, -1, 1, self.scales)
        mean, std = (part.expand(n, -1, -1, -1).gather(2, index)[:, :, 0] for part in (mean, std))
        noise = torch.randn(n, 1, self.scales).to(context.device)
        return logit_transform().inv(mean + std * noise).clamp(0, 1)
