"""Control: the nearest neighbour, the training preset whose sound is closest to the target."""

import torch
from jaxtyping import Float
from torch import Tensor

from flowsynth.data.dataset import Batch
from flowsynth.data.distances import log_mel_distances
from flowsynth.models.base import Control
from flowsynth.models.nn.networks import Size
from flowsynth.synths.parameter_space import ParameterSpace


class Nearest(Control):
    """Predicts the presets of the training set that sound closest by log-mel L1, the closest first."""

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.register_buffer("mel", torch.zeros(0, mels, frames))
        self.register_buffer("values", torch.zeros(0, self.num_parameters))

    def fit(self, train: Batch) -> None:
        """Store the presets and their sounds."""
        self.mel, self.values = train.mel, train.values

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Look up the closest sounds."""
        distances = torch.stack([log_mel_distances(self.mel, target) for target in mel])
        return self.values[distances.topk(n, dim=1, largest=False).indices.T]
