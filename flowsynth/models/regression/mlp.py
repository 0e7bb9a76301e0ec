"""First baseline of the paper: a perceptron on the flattened spectrogram.

References:
    Esling et al. 2019. The perceptron of the published code lacks the nonlinearity and is linear; this one has it.
"""

from jaxtyping import Float
from torch import Tensor

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Model
from flowsynth.models.nn import networks
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.outputs import ParameterOutputs
from flowsynth.synths.parameter_space import ParameterSpace


class MLP(Model):
    """Fully connected layers with batch normalisation, ELU and dropout, then a sigmoid; MSE."""

    capturable = True

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.outputs = ParameterOutputs(parameters)
        self.network = networks.mlp(mels * frames, self.outputs.raw, size.layers, size)
        networks.initialise(self)

    @networks.allow_lower_precision
    def forward(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items raw"]:
        """Compute the raw outputs, see `ParameterOutputs`."""
        return self.network(self.standardise(mel).flatten(1))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the mean squared error of the parameters, and the cross-entropy of categories."""
        return {"loss": self.outputs.loss(self(batch.mel), batch.values)}

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Repeat the prediction."""
        return self.outputs(self(mel)).expand(n, -1, -1)
