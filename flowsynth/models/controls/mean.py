"""Control: the mean of the training presets, the best constant predictor."""

import torch
from jaxtyping import Float
from torch import Tensor

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Control
from flowsynth.models.nn.networks import Size
from flowsynth.synths.parameter_space import ParameterSpace


class Mean(Control):
    """Predicts the mean parameters of the training set for every sound."""

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.register_buffer("mean", torch.zeros(self.num_parameters))

    def fit(self, train: Batch) -> None:
        """Compute the mean."""
        self.mean = train.values.mean(dim=0)

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Repeat the mean."""
        return self.mean.expand(n, len(mel), -1)
