"""Networks: their shapes and their beginnings."""

import pytest
import torch
from torch import nn

from flowsynth import models
from flowsynth.data import Batch
from flowsynth.networks import (
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


def test_the_papers_convolutions_leave_a_map_of_8_by_9():
    convolutions = Convolutions(64, 80, PAPER)
    assert convolutions.features == 128 * 8 * 9
    assert [m.dilation[0] for m in convolutions.modules() if isinstance(m, nn.Conv2d)] == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(("mels", "frames", "kernel"), [(64, 80, 5), (128, 87, 7), (16, 20, 3)])
def test_convolutions_give_as_many_features_as_they_say(mels: int, frames: int, kernel: int):
    size = Size(layers=3, channels=2, kernel=kernel, mlp_layers=2, units=4, dropout=0.0)
    convolutions = Convolutions(mels, frames, size)
    assert convolutions(torch.randn(3, mels, frames)).shape == (3, convolutions.features)


@pytest.mark.parametrize("sides", [(9, 12), (14, 23), (17, 8)])
@pytest.mark.parametrize("dilation", [1, 2, 4, 8])
@pytest.mark.parametrize("kernel", [2, 3, 5, 7])
def test_convolutions_are_pytorchs_with_their_gradients(kernel: int, dilation: int, sides: tuple[int, int]):
    torch.manual_seed(0)
    padding = (kernel - 1) // 2 * (dilation + 1) + dilation // 2
    ours = StridedConv2d(2, 3, kernel, padding, dilation).double()
    theirs = nn.Conv2d(2, 3, kernel, 2, padding, dilation).double()
    assert_equal_with_gradients(ours, theirs, sides)


@pytest.mark.parametrize("extra", [(0, 0), (1, 0), (0, 1)])
@pytest.mark.parametrize("sides", [(4, 7), (6, 5)])
@pytest.mark.parametrize("dilation", [1, 2, 4, 8])
@pytest.mark.parametrize("kernel", [2, 3, 5, 7])
def test_transposed_convolutions_are_pytorchs_with_their_gradients(
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
    expected, actual = theirs(x), ours(x)
    direction = torch.randn_like(expected)
    torch.testing.assert_close(actual, expected)
    torch.testing.assert_close(
        torch.autograd.grad(actual, [x, *ours.parameters()], direction),
        torch.autograd.grad(expected, [x, *theirs.parameters()], direction),
    )


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
def test_residual_paths_change_no_shape(kernel: int, residual: bool):
    size = Size(layers=3, channels=2, kernel=kernel, mlp_layers=2, units=4, dropout=0.0)
    convolutions = Convolutions(33, 40, size, residual)
    assert convolutions(torch.randn(3, 33, 40)).shape == (3, convolutions.features)


def test_a_residual_path_is_a_trainable_convolution_added_where_the_kernel_is_centred():
    size = Size(layers=1, channels=1, kernel=5, mlp_layers=2, units=4, dropout=0.0)
    convolutions = Convolutions(16, 16, size, residual=True).eval()
    block = convolutions.layers[0]
    main, around = block.main[0], block.around
    assert around.weight.requires_grad
    with torch.no_grad():
        for part in (main, around):
            part.weight.zero_()
            part.bias.zero_()
        main.weight[0, 0, 2, 2] = around.weight[0, 0, 0, 0] = 1  # both paths pass on the centre of their window
        x = torch.rand(1, 1, 16, 16)
        torch.testing.assert_close(block.main(x), around(x), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(block(x), 2 * around(x), rtol=1e-4, atol=1e-5)


def test_residual_paths_refuse_even_kernels():
    with pytest.raises(ValueError, match="kernel = 4, expected an odd side"):
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
def test_a_decoder_gives_back_the_shape_that_its_encoder_took(
    mels: int, frames: int, kernel: int, layers: int, mlp_layers: int
):
    size = Size(layers=layers, channels=4, kernel=kernel, mlp_layers=mlp_layers, units=6, dropout=0.0)
    encoder = Encoder(mels, frames, size)
    features = encoder(torch.randn(2, mels, frames))
    assert features.shape == (2, encoder.features)
    assert Decoder(3, mels, frames, size)(torch.randn(2, 3)).shape == (2, mels, frames)


@pytest.mark.parametrize("kernel", [5, 7])
def test_a_decoder_reaches_every_bin_and_is_linear_at_the_end(kernel: int):
    torch.manual_seed(0)
    decoder = Decoder(8, 64, 80, Size(layers=5, channels=16, kernel=kernel, mlp_layers=2, units=64, dropout=0.0))
    with torch.no_grad():
        assert decoder(torch.randn(200, 8)).std(dim=0).min() > 1e-3
    assert isinstance(decoder.layers[-1], nn.ConvTranspose2d)


def test_half_a_size_has_half_the_channels_and_units():
    half = PAPER.halved()
    assert (half.channels, half.units) == (64, 1024)
    assert (half.layers, half.kernel, half.mlp_layers, half.dropout) == (5, 7, 3, 0.3)
    least = Size(layers=1, channels=1, kernel=1, mlp_layers=1, units=1, dropout=0.0)
    assert least.halved() == least


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


def test_lower_precision_is_for_encoders_and_decoders_and_not_for_flows():
    size = Size(layers=2, channels=4, kernel=3, mlp_layers=2, units=16, dropout=0.0)
    torch.manual_seed(0)
    model = models.find("flow_reg")(16, 20, 6, size)
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
