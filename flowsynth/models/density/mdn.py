"""A mixture density network: the likelihood model that was there before flows, on the same encoder.

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
from flowsynth.models.nn.transforms import bounded

COMPONENTS = 16
LEAST = 1e-2  # of a standard deviation, in the space of halved logits


class MDN(DensityModel):
    """A mixture of Gaussians over the logits of presets, each of independent parameters; -log p(v | x) per parameter."""

    def __init__(self, mels: int, frames: int, parameters: int, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.head = nn.Linear(self.encoder.features, COMPONENTS * (1 + 2 * parameters))
        networks.initialise(self.head)

    def mixture(
        self, mel: Float[Tensor, "items mels frames"]
    ) -> tuple[
        Float[Tensor, "items components"],
        Float[Tensor, "items components parameters"],
        Float[Tensor, "items components parameters"],
    ]:
        """Give log-weights, means and standard deviations for sounds that are not standardised."""
        raw = self.head(self.heard(mel))
        weights, mean, spread = raw.split([COMPONENTS, *[COMPONENTS * self.parameters_inferred] * 2], dim=1)
        by_component = (COMPONENTS, self.parameters_inferred)
        return (
            log_softmax(weights, dim=1),
            mean.unflatten(1, by_component),
            softplus(spread).unflatten(1, by_component) + LEAST,
        )

    def log_density(
        self, mel: Float[Tensor, "items mels frames"], values: Float[Tensor, "items parameters"]
    ) -> Float[Tensor, " items"]:
        """Give log p(v | x) of dequantised presets."""
        weights, mean, std = self.mixture(mel)
        transform = bounded()
        logits = transform(values)
        normal = torch.distributions.Normal(mean, std, validate_args=False)
        log_density = torch.logsumexp(weights + normal.log_prob(logits[:, None]).sum(dim=2), dim=1)
        return log_density + transform.log_abs_det_jacobian(values, logits).sum(dim=1)

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Draw `n` presets for each sound, with the same noise for all sounds."""
        weights, mean, std = self.mixture(mel)
        chance = torch.rand(n, 1, 1).to(mel.device)  # the same on every device, as is all noise of answers
        # the component in whose share of the weights the chance falls
        below = (weights.exp().cumsum(dim=1) < chance).sum(dim=2).clamp(max=COMPONENTS - 1)
        place = below[..., None, None].expand(-1, -1, 1, self.parameters_inferred)
        mean, std = (part.expand(n, -1, -1, -1).gather(2, place)[:, :, 0] for part in (mean, std))
        noise = torch.randn(n, 1, self.parameters_inferred).to(mel.device)
        return bounded().inv(mean + std * noise).clamp(0, 1)
