"""Neural posterior estimation: a conditional neural spline flow on a convolutional encoder, trained by likelihood.

It isolates the contribution of normalising flows: there is no autoencoder, no latent, and no weighting of loss terms.
The encoder has the size of the CNN, and its features condition a density of presets.

References:
    Papamakarios and Murray 2016, "Fast epsilon-free inference of simulation models with Bayesian conditional density
    estimation": neural posterior estimation.
    Durkan et al. 2019, "Neural spline flows".
"""

from jaxtyping import Float
from torch import Tensor

from flowsynth.models.density.base import DensityModel
from flowsynth.models.nn.flows import conditional_flow, sample_flow
from flowsynth.models.nn.networks import Size
from flowsynth.synths.parameter_space import ParameterSpace


class NPENSF(DensityModel):
    """Samples presets from an autoregressive spline flow conditioned on the encoder; -log p(v | x) per parameter."""

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.flow = conditional_flow(self.num_parameters, self.encoder.features)

    def log_density(
        self, mel: Float[Tensor, "items mels frames"], values: Float[Tensor, "items parameters"]
    ) -> Float[Tensor, " items"]:
        """Compute log p(v | x) of dequantised presets."""
        return self.flow(self.context(mel)).log_prob(values)

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Sample `n` presets per sound."""
        return sample_flow(self.flow(self.context(mel)), n).clamp(0, 1)
