"""Third baseline of the paper: the convolutions of the second one with skip connections.

References:
    Esling et al. 2019.
    He et al. 2016, "Deep residual learning for image recognition".
"""

from flowsynth.models.nn import networks
from flowsynth.models.nn.networks import Size
from flowsynth.models.regression.cnn import CNN
from flowsynth.synths.parameter_space import ParameterSpace


class ResNet(CNN):
    """The CNN with a skip connection around each convolutional layer: a trainable 1x1 convolution; MSE."""

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.convolutions = networks.Convolutions(mels, frames, size, residual=True)
        networks.initialise(self.convolutions)
