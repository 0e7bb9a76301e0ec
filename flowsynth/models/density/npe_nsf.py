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
        self.flow = conditional_flow(self.scales, self.features)

    def log_density(
        self, context: Float[Tensor, "items features"], values: Float[Tensor, "items scales"]
    ) -> Float[Tensor, " items"]:
        """Compute the log-density of dequantised parameters."""
        return self.flow(context).log_prob(values)

    def sample(
        self, context: Float[Tensor, "items features"] | Float[Tensor, "n items features"], n: int
    ) -> Float[Tensor, "n items scales"]:
        """Sample `n` presets per item."""
        return sample_flow(self.flow(context), n).clamp(0, 1)
