"""Second baseline of the paper: strided dilated convolutions followed by a perceptron.

References:
    Esling et al. 2019.
"""

from jaxtyping import Float
from torch import Tensor

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Model
from flowsynth.models.nn import networks
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.outputs import ParameterOutputs
from flowsynth.synths.parameter_space import ParameterSpace


class CNN(Model):
    """Convolutions and a perceptron, with batch normalisation, ELU and, in the perceptron, dropout; a sigmoid; MSE."""

    capturable = True

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.outputs = ParameterOutputs(parameters)
        self.convolutions = networks.Convolutions(mels, frames, size)
        self.head = networks.mlp(self.convolutions.features, self.outputs.raw, size.mlp_layers, size)
        networks.initialise(self)

    @networks.allow_lower_precision
    def forward(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items raw"]:
        """Compute the raw outputs, see `ParameterOutputs`."""
        return self.head(self.convolutions(self.standardise(mel)))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the mean squared error of the parameters, and the cross-entropy of categories."""
        return {"loss": self.outputs.loss(self(batch.mel), batch.values)}

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Repeat the prediction."""
        return self.outputs(self(mel)).expand(n, -1, -1)
