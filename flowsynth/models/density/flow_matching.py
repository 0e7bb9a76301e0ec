"""Conditional flow matching: a velocity field, conditioned on an encoder, that transports noise to presets.

References:
    Lipman et al. 2023, "Flow matching for generative modeling": the straight paths from noise (here without the minimum
    standard deviation: presets are dequantised instead).
    Hayes et al. 2025, "Audio synthesizer inversion in symmetric parameter spaces with approximately equivariant flow
    matching": its use for synthesizers.
"""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Model
from flowsynth.models.nn import networks
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.transforms import dequantise
from flowsynth.synths.parameter_space import ParameterSpace

INTEGRATION_STEPS = 16  # steps of the integration, of two evaluations of the field each
FREQUENCIES = 8  # frequencies of the sinusoidal embedding of the time
LAYERS = 3  # hidden layers of the field


class FlowMatching(Model):
    """Samples presets by integrating a learnt velocity field; the loss is the squared error of the velocity."""

    kind: ClassVar[str] = "density"
    capturable = True

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.encoder = networks.Encoder(mels, frames, size)
        inputs = self.num_parameters + 2 * FREQUENCIES + self.encoder.features
        parts: list[nn.Module] = []
        for _ in range(LAYERS):
            parts += [nn.Linear(inputs, size.units), nn.LayerNorm(size.units), nn.SiLU()]
            inputs = size.units
        self.field = nn.Sequential(*parts, nn.Linear(inputs, self.num_parameters))
        networks.initialise(self)

    def velocity(
        self,
        time: Float[Tensor, "*items 1"],
        position: Float[Tensor, "*items parameters"],
        context: Float[Tensor, "*items features"],
    ) -> Float[Tensor, "*items parameters"]:
        """Predict the velocity.

        Args:
            time: Time from 0 (noise) to 1 (presets).
            position: Points at which to evaluate the field; presets are scaled to [-1, 1].
            context: Features of the encoder.
        """
        angle = time * torch.pi * torch.arange(1, FREQUENCIES + 1, device=time.device)
        return self.field(torch.cat([position, angle.sin(), angle.cos(), context], dim=-1))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the mean squared error of the velocity at one random time per item."""
        context = self.encoder(self.standardise(batch.mel))
        end = 2 * dequantise(batch.values) - 1
        start, time = torch.randn_like(end), torch.rand(len(end), 1, device=end.device)
        velocity = self.velocity(time, torch.lerp(start, end, time), context)
        return {"loss": (velocity - (end - start)).square().mean()}

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Sample `n` presets per sound by the midpoint method, with the same noise for all sounds."""
        context = self.encoder(self.standardise(mel)).expand(n, -1, -1)
        noise = torch.randn(n, 1, self.num_parameters).to(mel.device)  # the same on every device
        position = noise.expand(-1, context.shape[1], -1)
        step = 1 / INTEGRATION_STEPS
        for index in range(INTEGRATION_STEPS):
            time = torch.full_like(position[..., :1], index * step)
            midpoint = position + step / 2 * self.velocity(time, position, context)
            position = position + step * self.velocity(time + step / 2, midpoint, context)
        return ((position + 1) / 2).clamp(0, 1)
