"""The networks that the models are built from; their sizes come from the budget.

References:
    Esling et al. 2019: multi-layer perceptrons with batch normalisation, ELU and dropout; convolutions of stride 2 whose
    dilation doubles with each layer; Xavier initialisation.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class Size:
    """Sizes of the networks of a budget.

    Attributes:
        layers: Layers of a perceptron, or of a stack of convolutions.
        channels: Of a convolution.
        kernel: Side of a convolution's kernel.
        mlp_layers: Layers of the perceptron on top of the convolutions.
        units: Of a hidden fully connected layer.
        dropout: Probability.
    """

    layers: int
    channels: int
    kernel: int
    mlp_layers: int
    units: int
    dropout: float


def mlp(inputs: int, outputs: int, layers: int, size: Size) -> nn.Sequential:
    """Make a perceptron of `layers` fully connected layers; all but the last are followed by BN, ELU and dropout."""
    parts: list[nn.Module] = []
    for _ in range(layers - 1):
        parts += [nn.Linear(inputs, size.units), nn.BatchNorm1d(size.units), nn.ELU(), nn.Dropout(size.dropout)]
        inputs = size.units
    return nn.Sequential(*parts, nn.Linear(inputs, outputs))


class Convolutions(nn.Module):
    """Strided dilated convolutions over a spectrogram, each followed by batch normalisation and ELU.

    Layer l (from 0) has stride 2 and dilation 2^l. The padding, (kernel - 1) / 2 x (dilation + 1), leaves a map of 8 x 9
    from 64 x 80 after five layers with the paper's kernel of 7.

    Args:
        mels: Bands of the input.
        frames: Of the input.
        size: Sizes.
    """

    def __init__(self, mels: int, frames: int, size: Size):
        super().__init__()
        parts: list[nn.Module] = []
        channels, sides = 1, (mels, frames)
        for layer in range(size.layers):
            dilation = 2**layer
            padding = (size.kernel - 1) // 2 * (dilation + 1)
            parts += [
                nn.Conv2d(channels, size.channels, size.kernel, stride=2, padding=padding, dilation=dilation),
                nn.BatchNorm2d(size.channels),
                nn.ELU(),
            ]
            channels = size.channels
            sides = tuple((side + 2 * padding - dilation * (size.kernel - 1) - 1) // 2 + 1 for side in sides)
        # channels last: the same results, up to twice as fast on CPUs and GPUs
        self.layers = nn.Sequential(*parts).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.features = channels * sides[0] * sides[1]

    def forward(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items features"]:
        """Features of standardised spectrograms."""
        return self.layers(mel[:, None].contiguous(memory_format=torch.channels_last)).flatten(1)


def initialise(module: nn.Module) -> None:
    """Set the weights of linear and convolution layers by Xavier's rule and their biases to zero."""
    for part in module.modules():
        if isinstance(part, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
