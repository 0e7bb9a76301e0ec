"""Networks: shapes, initialisation and precision."""

import pytest
import torch
from small import space
from torch import nn

from flowsynth.data.dataset import Batch
from flowsynth.models import base as models
from flowsynth.models.nn.networks import (
    Convolutions,
    Decoder,
    Encoder,
    Size,
    StridedConv2d,
    StridedConvTranspose2d,
    initialise,
    lower_precision,
    mlp,
)

PAPER = Size(layers=5, channels=128, kernel=7, mlp_layers=3, units=2048, dropout=0.3)


def test_the_convolutions_of_the_paper_have_a_map_of_8_by_9():
    convolutions = Convolutions(64, 80, PAPER)
    assert convolutions.features == 128 * 8 * 9
    assert [m.dilation[0] for m in convolutions.modules() if isinstance(m, nn.Conv2d)] == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(("mels", "frames", "kernel"), [(64, 80, 5), (128, 87, 7), (16, 20, 3)])
def test_convolutions_have_the_declared_number_of_features(mels: int, frames: int, kernel: int):
    size = Size(layers=3, channels=2, kernel=kernel, mlp_layers=2, units=4, dropout=0.0)
    convolutions = Convolutions(mels, frames, size)
    assert convolutions(torch.randn(3, mels, frames)).shape == (3, convolutions.features)


@pytest.mark.parametrize("sides", [(9, 12), (14, 23), (17, 8)])
@pytest.mark.parametrize("dilation", [1, 2, 4, 8])
@pytest.mark.parametrize("kernel", [2, 3, 5, 7])
def test_convolutions_and_their_gradients_equal_pytorch(kernel: int, dilation: int, sides: tuple[int, int]):
    torch.manual_seed(0)
    padding = (kernel - 1) // 2 * (dilation + 1) + dilation // 2
    ours = StridedConv2d(2, 3, kernel, padding, dilation).double()
    theirs = nn.Conv2d(2, 3, kernel, 2, padding, dilation).double()
    assert_equal_with_gradients(ours, theirs, sides)


@pytest.mark.parametrize("extra", [(0, 0), (1, 0), (0, 1)])
@pytest.mark.parametrize("sides", [(4, 7), (6, 5)])
@pytest.mark.parametrize("dilation", [1, 2, 4, 8])
@pytest.mark.parametrize("kernel", [2, 3, 5, 7])
def test_transposed_convolutions_and_gradients_equal_pytorch(
    kernel: int, dilation: int, sides: tuple[int, int], extra: tuple[int, int]
):
    torch.manual_seed(0)
    padding = dilation * (kernel - 1) // 2
    ours = StridedConvTranspose2d(2, 3, kernel, padding, extra, dilation).double()
    theirs = nn.ConvTranspose2d(2, 3, kernel, 2, padding, extra, dilation=dilation).double()
    assert_equal_with_gradients(ours, theirs, sides)


def assert_equal_with_gradients(ours: nn.Module, theirs: nn.Module, sides: tuple[int, int]) -> None:
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 2, *sides, dtype=torch.double, requires_grad=True)
    expected, output = theirs(x), ours(x)
    direction = torch.randn_like(expected)
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(
        torch.autograd.grad(output, [x, *ours.parameters()], direction),
        torch.autograd.grad(expected, [x, *theirs.parameters()], direction),
    )


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
def test_skip_connections_keep_the_shape(kernel: int, residual: bool):
    size = Size(layers=3, channels=2, kernel=kernel, mlp_layers=2, units=4, dropout=0.0)
    convolutions = Convolutions(33, 40, size, residual)
    assert convolutions(torch.randn(3, 33, 40)).shape == (3, convolutions.features)


def test_a_skip_connection_is_a_trainable_1x1_convolution():
    size = Size(layers=1, channels=1, kernel=5, mlp_layers=2, units=4, dropout=0.0)
    convolutions = Convolutions(16, 16, size, residual=True).eval()
    block = convolutions.layers[0]
    main, skip = block.main[0], block.skip
    assert skip.weight.requires_grad
    with torch.no_grad():
        for part in (main, skip):
            part.weight.zero_()
            part.bias.zero_()
        main.weight[0, 0, 2, 2] = skip.weight[0, 0, 0, 0] = 1  # both copy the centre of their window
        x = torch.rand(1, 1, 16, 16)
        torch.testing.assert_close(block.main(x), skip(x), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(block(x), 2 * skip(x), rtol=1e-4, atol=1e-5)


def test_skip_connections_reject_even_kernels():
    with pytest.raises(ValueError, match="kernel = 4, expected an odd"):
        Convolutions(16, 16, Size(layers=2, channels=2, kernel=4, mlp_layers=2, units=4, dropout=0.0), residual=True)


@pytest.mark.parametrize(
    ("mels", "frames", "kernel", "layers"),
    [
        (64, 80, 7, 5),
        (128, 80, 7, 5),
        (128, 87, 5, 5),
        (64, 80, 5, 4),
        (33, 41, 4, 3),
        (16, 20, 3, 2),
        (7, 9, 1, 1),
    ],
)
@pytest.mark.parametrize("mlp_layers", [1, 3])
def test_a_decoder_restores_the_shape_of_the_encoder_input(
    mels: int, frames: int, kernel: int, layers: int, mlp_layers: int
):
    size = Size(layers=layers, channels=4, kernel=kernel, mlp_layers=mlp_layers, units=6, dropout=0.0)
    encoder = Encoder(mels, frames, size)
    features = encoder(torch.randn(2, mels, frames))
    assert features.shape == (2, encoder.features)
    assert Decoder(3, mels, frames, size)(torch.randn(2, 3)).shape == (2, mels, frames)


@pytest.mark.parametrize("kernel", [5, 7])
def test_a_decoder_affects_every_bin_and_ends_linearly(kernel: int):
    torch.manual_seed(0)
    decoder = Decoder(8, 64, 80, Size(layers=5, channels=16, kernel=kernel, mlp_layers=2, units=64, dropout=0.0))
    with torch.no_grad():
        assert decoder(torch.randn(200, 8)).std(dim=0).min() > 1e-3
    assert isinstance(decoder.layers[-1], nn.ConvTranspose2d)


def test_halved_sizes_have_half_the_channels_and_units():
    half = PAPER.halved()
    assert (half.channels, half.units) == (64, 1024)
    assert (half.layers, half.kernel, half.mlp_layers, half.dropout) == (5, 7, 3, 0.3)
    smallest = Size(layers=1, channels=1, kernel=1, mlp_layers=1, units=1, dropout=0.0)
    assert smallest.halved() == smallest


def test_a_perceptron_is_not_linear():
    torch.manual_seed(0)
    network = mlp(4, 2, 3, Size(layers=3, channels=1, kernel=1, mlp_layers=3, units=8, dropout=0.3)).eval()
    x, y = torch.randn(2, 1, 4).unbind()
    zero = network(torch.zeros(1, 4))
    assert not torch.allclose(network(x + y) - zero, network(x) + network(y) - 2 * zero, atol=1e-3)


def test_initialise_is_xavier_initialisation():
    torch.manual_seed(0)
    layer = nn.Linear(300, 100)
    initialise(layer)
    bound = (6 / 400) ** 0.5
    assert layer.weight.abs().max() <= bound
    assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)
    assert (layer.bias == 0).all()


def test_lower_precision_applies_to_encoder_and_decoder_only():
    size = Size(layers=2, channels=4, kernel=3, mlp_layers=2, units=16, dropout=0.0)
    torch.manual_seed(0)
    model = models.find("flow_reg")(16, 20, space(6), size)
    dtypes: dict[str, set[torch.dtype]] = {"encoder": set(), "flow": set(), "decoder": set()}
    for part in dtypes:
        for layer in getattr(model, part).modules():
            if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
                layer.register_forward_hook(lambda _, inputs, output, part=part: dtypes[part].add(output.dtype))
    batch = Batch(torch.randn(8, 16, 20), torch.rand(8, 6))
    with lower_precision(torch.bfloat16):
        loss = model.loss(batch)["loss"]
    loss.backward()
    assert dtypes == {"encoder": {torch.bfloat16}, "flow": {torch.float32}, "decoder": {torch.bfloat16}}
    assert loss.dtype == torch.float32
