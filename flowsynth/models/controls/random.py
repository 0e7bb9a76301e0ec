"""Control: a random training preset."""

import torch
from jaxtyping import Float
from torch import Tensor

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Control
from flowsynth.models.nn.networks import Size
from flowsynth.synths.parameter_space import ParameterSpace


class Random(Control):
    """Predicts presets sampled from the training set, independently for each sound."""

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.register_buffer("values", torch.zeros(0, self.num_parameters))

    def fit(self, train: Batch) -> None:
        """Store the presets."""
        self.values = train.values

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Sample presets."""
        return self.values[torch.randint(len(self.values), (n, len(mel)))]
