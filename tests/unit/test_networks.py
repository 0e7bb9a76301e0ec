"""Networks: their shapes and their beginnings."""

import pytest
import torch
from torch import nn

from flowsynth.networks import Convolutions, Size, initialise, mlp

PAPER = Size(layers=5, channels=128, kernel=7, mlp_layers=3, units=2048, dropout=0.3)


def test_the_papers_convolutions_leave_a_map_of_8_by_9():
    convolutions = Convolutions(64, 80, PAPER)
    assert convolutions.features == 128 * 8 * 9
    assert [m.dilation[0] for m in convolutions.modules() if isinstance(m, nn.Conv2d)] == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(("mels", "frames", "kernel"), [(64, 80, 5), (128, 87, 7), (16, 20, 3)])
def test_convolutions_give_as_many_features_as_they_say(mels: int, frames: int, kernel: int):
    size = Size(layers=3, channels=2, kernel=kernel, mlp_layers=2, units=4, dropout=0.0)
    convolutions = Convolutions(mels, frames, size)
    assert convolutions(torch.randn(3, mels, frames)).shape == (3, convolutions.features)


def test_a_perceptron_is_not_linear():
    torch.manual_seed(0)
    network = mlp(4, 2, 3, Size(layers=3, channels=1, kernel=1, mlp_layers=3, units=8, dropout=0.3)).eval()
    x, y = torch.randn(2, 1, 4).unbind()
    zero = network(torch.zeros(1, 4))
    assert not torch.allclose(network(x + y) - zero, network(x) + network(y) - 2 * zero, atol=1e-3)


def test_initialise_is_xaviers_rule():
    torch.manual_seed(0)
    layer = nn.Linear(300, 100)
    initialise(layer)
    bound = (6 / 400) ** 0.5
    assert layer.weight.abs().max() <= bound
    assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)
    assert (layer.bias == 0).all()
