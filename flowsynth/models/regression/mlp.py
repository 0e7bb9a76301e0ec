"""The paper's first baseline: a perceptron on the flattened spectrogram.

References:
    Esling et al. 2019. The published code left the nonlinearity out, so that its perceptron was linear; this one has it.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import mse_loss

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Model
from flowsynth.models.nn import networks
from flowsynth.models.nn.networks import Size


class MLP(Model):
    """Fully connected layers with batch normalisation, ELU and dropout; a sigmoid at the end; mean squared error."""

    capturable = True

    def __init__(self, mels: int, frames: int, parameters: int, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.network = networks.mlp(mels * frames, parameters, size.layers, size)
        networks.initialise(self)

    @networks.lowered
    def forward(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items parameters"]:
        """The one answer for each sound."""
        return torch.sigmoid(self.network(self.standardise(mel).flatten(1)))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Mean squared error of the parameters."""
        return {"loss": mse_loss(self(batch.mel), batch.values)}

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Repeat the one answer."""
        return self(mel).expand(n, -1, -1)
