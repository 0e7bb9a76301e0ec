"""Control: the training preset whose sound is closest. A network that does no better has learnt little."""

import torch
from jaxtyping import Float
from torch import Tensor

from flowsynth.data.dataset import Batch
from flowsynth.metrics.distances import log_mel_distances
from flowsynth.models.base import Control
from flowsynth.models.nn.networks import Size


class Nearest(Control):
    """Answers with the presets of the training part that sound closest by log-mel L1: the n-th answer is the n-th closest."""

    def __init__(self, mels: int, frames: int, parameters: int, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.register_buffer("mel", torch.zeros(0, mels, frames))
        self.register_buffer("values", torch.zeros(0, parameters))

    def fit(self, train: Batch) -> None:
        """Remember the presets and their sounds."""
        self.mel, self.values = train.mel, train.values

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Look up the closest sounds."""
        distance = torch.stack([log_mel_distances(self.mel, target) for target in mel])
        return self.values[distance.topk(n, dim=1, largest=False).indices.T]
