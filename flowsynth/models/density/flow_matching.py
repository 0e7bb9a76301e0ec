"""Conditional flow matching: a velocity field, given what the encoder hears, that carries noise to presets.

References:
    Lipman et al. 2023, "Flow matching for generative modeling": the straight paths from noise (here without its smallest
    spread: presets are dequantised instead).
    Hayes et al. 2025, "Audio synthesizer inversion in symmetric parameter spaces with approximately equivariant flow
    matching": its use for synthesizers.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Model
from flowsynth.models.nn import networks
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.transforms import dequantise

STEPS = 16  # of the integration, each two looks at the field
FREQUENCIES = 8  # of the sinusoids that tell the time
LAYERS = 3  # of the field


class FlowMatching(Model):
    """Draws presets by following a learnt velocity field; the loss is the squared error of the velocity."""

    capturable = True

    def __init__(self, mels: int, frames: int, parameters: int, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.encoder = networks.Encoder(mels, frames, size)
        inputs = parameters + 2 * FREQUENCIES + self.encoder.features
        parts: list[nn.Module] = []
        for _ in range(LAYERS):
            parts += [nn.Linear(inputs, size.units), nn.LayerNorm(size.units), nn.SiLU()]
            inputs = size.units
        self.field = nn.Sequential(*parts, nn.Linear(inputs, parameters))
        networks.initialise(self)

    def velocity(
        self,
        time: Float[Tensor, "*items 1"],
        place: Float[Tensor, "*items parameters"],
        heard: Float[Tensor, "*items features"],
    ) -> Float[Tensor, "*items parameters"]:
        """Give the velocity.

        Args:
            time: From 0, noise, to 1, presets.
            place: Where it is asked for.
            heard: The encoder's features.
        """
        angle = time * torch.pi * torch.arange(1, FREQUENCIES + 1, device=time.device)
        return self.field(torch.cat([place, angle.sin(), angle.cos(), heard], dim=-1))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Give the mean squared error of the velocity at one time an item, presets being scaled to [-1, 1]."""
        heard = self.encoder(self.standardise(batch.mel))
        end = 2 * dequantise(batch.values) - 1
        start, time = torch.randn_like(end), torch.rand(len(end), 1, device=end.device)
        found = self.velocity(time, torch.lerp(start, end, time), heard)
        return {"loss": (found - (end - start)).square().mean()}

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Draw `n` presets for each sound, from the same noise for all sounds, by the midpoint rule."""
        heard = self.encoder(self.standardise(mel)).expand(n, -1, -1)
        noise = torch.randn(n, 1, self.parameters_inferred).to(mel.device)  # the same on every device
        place = noise.expand(-1, heard.shape[1], -1)
        step = 1 / STEPS
        for number in range(STEPS):
            time = torch.full_like(place[..., :1], number * step)
            half = place + step / 2 * self.velocity(time, place, heard)
            place = place + step * self.velocity(time + step / 2, half, heard)
        return ((place + 1) / 2).clamp(0, 1)
