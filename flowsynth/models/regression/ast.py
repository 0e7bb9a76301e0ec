"""Spectrogram transformer that regresses the parameters.

References:
    Gong et al. 2021, "AST: audio spectrogram transformer": overlapping patches of the spectrogram as tokens.
    Bruford et al. 2024, "Synthesizer sound matching using audio spectrogram transformers": its use for this task.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Model
from flowsynth.models.nn import networks
from flowsynth.models.nn.networks import Size
from flowsynth.models.nn.outputs import ParameterOutputs
from flowsynth.synths.parameter_space import ParameterSpace

HEADS = 4
PATCH = 8  # bands and frames of a patch; patches do not overlap, to keep the cost affordable without a GPU


class AST(Model):
    """Transformer over patches of the spectrogram, with a perceptron and a sigmoid on the class token; MSE.

    It has as many layers as the stacks of convolutions, and tokens of four times as many features as their channels.
    """

    capturable = True

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.outputs = ParameterOutputs(parameters)
        width = 4 * size.channels
        patch = (min(PATCH, mels), min(PATCH, frames))
        self.patches = nn.Conv2d(1, width, patch, stride=patch)
        tokens = (mels // patch[0]) * (frames // patch[1])
        self.class_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.position = nn.Parameter(0.02 * torch.randn(1, tokens + 1, width))
        layer = nn.TransformerEncoderLayer(
            width, HEADS, 4 * width, size.dropout, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, size.layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = networks.mlp(width, self.outputs.raw, size.mlp_layers, size)
        networks.initialise(self.head)

    @networks.allow_lower_precision
    def forward(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items raw"]:
        """Compute the raw outputs, see `ParameterOutputs`."""
        patches = self.patches(self.standardise(mel)[:, None]).flatten(2).mT
        tokens = torch.cat([self.class_token.expand(len(mel), -1, -1), patches], dim=1) + self.position
        return self.head(self.layers(tokens)[:, 0])

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the mean squared error of the parameters, and the cross-entropy of categories."""
        return {"loss": self.outputs.loss(self(batch.mel), batch.values)}

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Repeat the prediction."""
        return self.outputs(self(mel)).expand(n, -1, -1)
