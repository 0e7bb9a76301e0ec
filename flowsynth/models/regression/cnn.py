"""The paper's second baseline: strided dilated convolutions and a perceptron on top of them.

References:
    Esling et al. 2019.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import mse_loss

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Model
from flowsynth.models.nn import networks
from flowsynth.models.nn.networks import Size


class CNN(Model):
    """Convolutions, then a perceptron, batch normalisation and ELU, dropout in the perceptron, a sigmoid; MSE."""

    capturable = True

    def __init__(self, mels: int, frames: int, parameters: int, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.convolutions = networks.Convolutions(mels, frames, size)
        self.head = networks.mlp(self.convolutions.features, parameters, size.mlp_layers, size)
        networks.initialise(self)

    @networks.lowered
    def forward(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items parameters"]:
        """The one answer for each sound."""
        return torch.sigmoid(self.head(self.convolutions(self.standardise(mel))))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Mean squared error of the parameters."""
        return {"loss": mse_loss(self(batch.mel), batch.values)}

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Repeat the one answer."""
        return self(mel).expand(n, -1, -1)
