"""Networks of the models; their sizes come from the budget.

References:
    Esling et al. 2019: multi-layer perceptrons with batch normalisation, ELU and dropout; convolutions of stride 2
    whose dilation doubles with each layer; Xavier initialisation.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import wraps

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 2  # stride of all convolutions


@dataclass(frozen=True)
class Size:
    """Sizes of the networks of a budget.

    Attributes:
        layers: Number of layers of a perceptron, or of a stack of convolutions.
        channels: Number of channels of a convolution.
        kernel: Side of the kernel of a convolution.
        mlp_layers: Number of layers of the perceptron after the convolutions.
        units: Number of units of a hidden fully connected layer.
        dropout: Probability of dropout.

    Examples:
        >>> size = Size(layers=5, channels=16, kernel=5, mlp_layers=3, units=256, dropout=0.0)
        >>> size.halved().channels, size.halved().units
        (8, 128)
    """

    layers: int
    channels: int
    kernel: int
    mlp_layers: int
    units: int
    dropout: float

    def halved(self) -> "Size":
        """Return sizes with half the channels and units, as the networks of an autoencoder have."""
        return replace(self, channels=max(1, self.channels // 2), units=max(1, self.units // 2))


_PRECISION: ContextVar[torch.dtype | None] = ContextVar("precision", default=None)


@contextmanager
def lower_precision(kind: torch.dtype | None) -> Iterator[None]:
    """Run encoders and decoders in lower precision; flows keep the precision of their weights, which densities need.

    Args:
        kind: ``torch.bfloat16`` or ``torch.float16``, or None for the precision of the weights.
    """
    token = _PRECISION.set(kind)
    try:
        yield
    finally:
        _PRECISION.reset(token)


def allow_lower_precision(forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Decorate the ``forward`` of a network that `lower_precision` applies to; its output has full precision."""

    @wraps(forward)
    def wrapper(self: nn.Module, x: Tensor) -> Tensor:
        kind = _PRECISION.get()
        if kind is None:
            return forward(self, x)
        with torch.autocast(x.device.type, kind):
            return forward(self, x).float()

    return wrapper


def hidden_layers(inputs: int, layers: int, size: Size) -> nn.Sequential:
    """Build `layers` fully connected layers, each followed by batch normalisation, ELU and dropout."""
    parts: list[nn.Module] = []
    for _ in range(layers):
        parts += [nn.Linear(inputs, size.units), nn.BatchNorm1d(size.units), nn.ELU(), nn.Dropout(size.dropout)]
        inputs = size.units
    return nn.Sequential(*parts)


def mlp(inputs: int, outputs: int, layers: int, size: Size) -> nn.Sequential:
    """Build a perceptron of `layers` fully connected layers; all but the last are followed by BN, ELU and dropout.

    >>> size = Size(layers=2, channels=4, kernel=3, mlp_layers=2, units=16, dropout=0.0)
    >>> [type(layer).__name__ for layer in mlp(320, 3, 2, size)]
    ['Linear', 'BatchNorm1d', 'ELU', 'Dropout', 'Linear']
    """
    hidden = hidden_layers(inputs, layers - 1, size)
    return nn.Sequential(*hidden, nn.Linear(size.units if layers > 1 else inputs, outputs))


def padding_and_dilation(layer: int, size: Size) -> tuple[int, int]:
    """Return the padding and the dilation of a convolution, for the index of its layer, from 0.

    >>> padding_and_dilation(2, Size(layers=5, channels=16, kernel=7, mlp_layers=3, units=256, dropout=0.0))
    (15, 4)
    """
    dilation = 2**layer
    return (size.kernel - 1) // 2 * (dilation + 1), dilation


def output_side(side: int, kernel: int, padding: int, dilation: int) -> int:
    """Return the height or width of a map after a convolution of stride 2.

    >>> output_side(80, kernel=7, padding=6, dilation=1)
    43
    """
    return (side + 2 * padding - dilation * (kernel - 1) - 1) // STRIDE + 1


def transposed_side(side: int, kernel: int, padding: int, dilation: int) -> int:
    """Return the height or width of a map after a transposed convolution of stride 2, without extra rows or columns.

    >>> transposed_side(43, kernel=7, padding=6, dilation=1)
    79
    """
    return STRIDE * (side - 1) + dilation * (kernel - 1) + 1 - 2 * padding


def map_sizes(mels: int, frames: int, size: Size) -> list[tuple[int, int]]:
    """Return height and width of the spectrogram and of the map after each layer of convolutions.

    >>> map_sizes(64, 80, Size(layers=5, channels=16, kernel=7, mlp_layers=3, units=256, dropout=0.0))
    [(64, 80), (35, 43), (21, 25), (14, 16), (10, 11), (8, 9)]
    """
    sides = [(mels, frames)]
    for layer in range(size.layers):
        mels, frames = (output_side(side, size.kernel, *padding_and_dilation(layer, size)) for side in sides[-1])
        sides.append((mels, frames))
    return sides


def _slice_maps(x: Tensor, rows: slice, columns: slice) -> Tensor:
    """Slice maps so that both they and their gradients have channels last."""
    return x.permute(0, 2, 3, 1)[:, rows, columns].contiguous().permute(0, 3, 1, 2)


class StridedConv2d(nn.Conv2d):
    """Convolution of stride 2 that, for an even dilation, reads only the quarter of the input that it depends on.

    With an even dilation the kernel covers rows and columns of one parity only. These are sliced and convolved with a
    stride of 1 and half the dilation: the same sums in another order.

    Args:
        inputs: Number of channels of the input.
        outputs: Number of channels of the output.
        kernel: Side of the kernel.
        padding: Number of rows and columns of zeros on each side of the input.
        dilation: Distance between the elements of the kernel.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, padding: int, dilation: int = 1):
        super().__init__(inputs, outputs, kernel, STRIDE, padding, dilation)
        self.even_dilation = dilation % STRIDE == 0
        self.offset = padding % STRIDE

    def forward(self, x: Float[Tensor, "items inputs _ _"]) -> Float[Tensor, "items outputs _ _"]:
        """Convolve maps."""
        if not self.even_dilation:
            return super().forward(x)
        kernel, padding, dilation = self.kernel_size[0], int(self.padding[0]), self.dilation[0]
        height, width = (output_side(side, kernel, padding, dilation) for side in x.shape[2:])
        quarter = _slice_maps(x, slice(self.offset, None, STRIDE), slice(self.offset, None, STRIDE))
        y = functional.conv2d(quarter, self.weight, self.bias, 1, (padding + 1) // STRIDE, dilation // STRIDE)
        return _slice_maps(y, slice(height), slice(width))


class StridedConvTranspose2d(nn.ConvTranspose2d):
    """Transposed convolution of stride 2 that, for an even dilation, computes only the affected quarter of the output.

    It mirrors `StridedConv2d`: all other elements of the output equal the bias.

    Args:
        inputs: Number of channels of the input.
        outputs: Number of channels of the output.
        kernel: Side of the kernel.
        padding: Number of rows and columns removed from each side of the output.
        extra: Number of rows and of columns added at the end of the output.
        dilation: Distance between the elements of the kernel.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, padding: int, extra: tuple[int, int], dilation: int = 1):
        super().__init__(inputs, outputs, kernel, STRIDE, padding, extra, dilation=dilation)
        self.even_dilation = dilation % STRIDE == 0
        self.offset = padding % STRIDE

    def forward(  # type: ignore[override]
        self, x: Float[Tensor, "items inputs _ _"]
    ) -> Float[Tensor, "items outputs _ _"]:
        """Apply the transposed convolution to maps."""
        if not self.even_dilation:
            return super().forward(x)
        kernel, padding, dilation = self.kernel_size[0], int(self.padding[0]), self.dilation[0]
        height, width = (
            transposed_side(side, kernel, padding, dilation) + int(extra)
            for side, extra in zip(x.shape[2:], self.output_padding, strict=True)
        )
        y = functional.conv_transpose2d(x, self.weight, None, 1, padding // STRIDE, 0, 1, dilation // STRIDE)
        out = y.new_zeros(len(x), height, width, self.out_channels).permute(0, 3, 1, 2)
        quarter = out[:, :, self.offset :: STRIDE, self.offset :: STRIDE]
        rows, columns = (slice(self.offset, self.offset + side) for side in quarter.shape[2:])
        quarter.copy_(_slice_maps(y, rows, columns))
        return out if self.bias is None else out + self.bias[:, None, None].to(y.dtype)


class Residual(nn.Module):
    """Layer with a skip connection: a trainable 1x1 convolution with the stride of the layer.

    This is the skip connection that the paper describes; in the published code the convolution is frozen.

    Args:
        main: The layer.
        inputs: Number of channels of its input.
        outputs: Number of channels of its output.
        size: Sizes of the networks, with an odd kernel.

    Raises:
        ValueError: If the side of the kernel is even: layer and skip connection would give maps of different sizes.
    """

    def __init__(self, main: nn.Module, inputs: int, outputs: int, size: Size):
        super().__init__()
        if size.kernel % 2 == 0:
            raise ValueError(f"kernel = {size.kernel}, expected an odd side for convolutions with skip connections")
        self.main = main
        # the total padding of a layer exceeds the extent of its kernel by kernel - 1, whatever the dilation
        self.skip = StridedConv2d(inputs, outputs, 1, (size.kernel - 1) // 2)

    def forward(self, x: Float[Tensor, "items inputs _ _"]) -> Float[Tensor, "items outputs _ _"]:
        """Add the output of the layer and the skip connection."""
        return self.main(x) + self.skip(x)


class Convolutions(nn.Module):
    """Strided dilated convolutions of a spectrogram, each followed by batch normalisation and ELU.

    Layer l (from 0) has stride 2 and dilation 2^l. With the padding, (kernel - 1) / 2 x (dilation + 1), five layers
    with the kernel of the paper, 7, reduce 64 x 80 to 8 x 9.

    Args:
        mels: Number of mel bands of the input.
        frames: Number of frames of the input.
        size: Sizes of the networks.
        residual: Whether each layer has a skip connection, as in the ResNet of the paper.
    """

    def __init__(self, mels: int, frames: int, size: Size, residual: bool = False):
        super().__init__()
        parts: list[nn.Module] = []
        channels = 1
        for layer in range(size.layers):
            convolution = StridedConv2d(channels, size.channels, size.kernel, *padding_and_dilation(layer, size))
            main = [convolution, nn.BatchNorm2d(size.channels), nn.ELU()]
            parts += [Residual(nn.Sequential(*main), channels, size.channels, size)] if residual else main
            channels = size.channels
        # channels last: same results, up to twice as fast on CPUs and GPUs
        self.layers = nn.Sequential(*parts).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        height, width = map_sizes(mels, frames, size)[-1]
        self.features = channels * height * width

    @allow_lower_precision
    def forward(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items features"]:
        """Compute features of standardised spectrograms."""
        return self.layers(mel[:, None].contiguous(memory_format=torch.channels_last)).flatten(1)


class Encoder(nn.Module):
    """Convolutions and the hidden layers of a perceptron.

    Together with a linear layer on its features it has the layers of the CNN of the paper.

    Args:
        mels: Number of mel bands of the input.
        frames: Number of frames of the input.
        size: Sizes of the networks.

    Examples:
        >>> size = Size(layers=2, channels=4, kernel=3, mlp_layers=2, units=16, dropout=0.0)
        >>> Encoder(64, 80, size)(torch.zeros(5, 64, 80)).shape
        torch.Size([5, 16])
    """

    def __init__(self, mels: int, frames: int, size: Size):
        super().__init__()
        self.convolutions = Convolutions(mels, frames, size)
        self.hidden = hidden_layers(self.convolutions.features, size.mlp_layers - 1, size)
        self.features = size.units if size.mlp_layers > 1 else self.convolutions.features

    @allow_lower_precision
    def forward(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items features"]:
        """Compute features of standardised spectrograms."""
        return self.hidden(self.convolutions(mel))


class Decoder(nn.Module):
    """Mirror image of the encoder: a perceptron, then transposed convolutions, the last of them linear.

    Each transposed convolution has the stride, padding and dilation of the convolution that it mirrors and restores the
    size of its input exactly, without cropping (the published code crops 69 x 101 to 64 x 80). Strides and dilations of
    2 leave gaps in the maps. The last layers close them if the side of the kernel is at least 5; with a side of 3, some
    bins are constant.

    Args:
        latent: Number of latent dimensions.
        mels: Number of mel bands of the output.
        frames: Number of frames of the output.
        size: Sizes of the networks.

    Examples:
        >>> size = Size(layers=2, channels=4, kernel=3, mlp_layers=2, units=16, dropout=0.0)
        >>> Decoder(3, 64, 80, size)(torch.zeros(5, 3)).shape
        torch.Size([5, 64, 80])
    """

    def __init__(self, latent: int, mels: int, frames: int, size: Size):
        super().__init__()
        sides = map_sizes(mels, frames, size)
        self.map = (size.channels, *sides[-1])
        units = size.channels * sides[-1][0] * sides[-1][1]
        self.perceptron = nn.Sequential(mlp(latent, units, size.mlp_layers, size), nn.ELU())
        parts: list[nn.Module] = []
        for layer in reversed(range(size.layers)):
            outputs = size.channels if layer else 1
            padding, dilation = padding_and_dilation(layer, size)
            extra = [
                output - transposed_side(side, size.kernel, padding, dilation)
                for output, side in zip(sides[layer], sides[layer + 1], strict=True)
            ]
            parts.append(
                StridedConvTranspose2d(size.channels, outputs, size.kernel, padding, (extra[0], extra[1]), dilation)
            )
            if layer:
                parts += [nn.BatchNorm2d(outputs), nn.ELU()]
        self.layers = nn.Sequential(*parts).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @allow_lower_precision
    def forward(self, z: Float[Tensor, "items latent"]) -> Float[Tensor, "items mels frames"]:
        """Decode latents to standardised spectrograms."""
        start = self.perceptron(z).unflatten(1, self.map)
        return self.layers(start.contiguous(memory_format=torch.channels_last))[:, 0]


def initialise(module: nn.Module) -> None:
    """Set the weights of linear and convolutional layers by Xavier initialisation and their biases to zero."""
    for part in module.modules():
        if isinstance(part, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
