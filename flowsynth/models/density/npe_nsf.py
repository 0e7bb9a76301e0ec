"""A conditional neural spline flow on the convolutional encoder, trained by likelihood and by nothing else.

It is the plain answer to the question of what normalising flows do here: no autoencoder, no latent, no balance of terms. The
encoder is that of the CNN, as large, and what it hears conditions a density of presets.

References:
    Papamakarios and Murray 2016, "Fast epsilon-free inference of simulation models with Bayesian conditional density
    estimation": neural posterior estimation.
    Durkan et al. 2019, "Neural spline flows".
"""

from jaxtyping import Float
from torch import Tensor

from flowsynth.models.density.base import DensityModel
from flowsynth.models.nn.flows import conditional_flow, draw
from flowsynth.models.nn.networks import Size


class NPENSF(DensityModel):
    """Draws presets from an autoregressive spline flow given what the encoder hears; -log p(v | x) in nats per parameter."""

    def __init__(self, mels: int, frames: int, parameters: int, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.flow = conditional_flow(parameters, self.encoder.features)

    def log_density(
        self, mel: Float[Tensor, "items mels frames"], values: Float[Tensor, "items parameters"]
    ) -> Float[Tensor, " items"]:
        """Give log p(v | x) of dequantised presets."""
        return self.flow(self.heard(mel)).log_prob(values)

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Draw `n` presets for each sound."""
        return draw(self.flow(self.heard(mel)), n).clamp(0, 1)
