"""The networks that the models are built from; their sizes come from the budget.

References:
    Esling et al. 2019: multi-layer perceptrons with batch normalisation, ELU and dropout; convolutions of stride 2 whose
    dilation doubles with each layer; Xavier initialisation.
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

STRIDE = 2  # of all convolutions


@dataclass(frozen=True)
class Size:
    """Sizes of the networks of a budget.

    Attributes:
        layers: Layers of a perceptron, or of a stack of convolutions.
        channels: Of a convolution.
        kernel: Side of a convolution's kernel.
        mlp_layers: Layers of the perceptron on top of the convolutions.
        units: Of a hidden fully connected layer.
        dropout: Probability.
    """

    layers: int
    channels: int
    kernel: int
    mlp_layers: int
    units: int
    dropout: float

    def halved(self) -> "Size":
        """Half the channels and units: the sizes of an autoencoder's encoder, decoder and regressor."""
        return replace(self, channels=max(1, self.channels // 2), units=max(1, self.units // 2))


_PRECISION: ContextVar[torch.dtype | None] = ContextVar("precision", default=None)


@contextmanager
def lower_precision(kind: torch.dtype | None) -> Iterator[None]:
    """Have encoders and decoders compute in another precision, and flows in their own: densities need all digits.

    Args:
        kind: ``torch.bfloat16`` or ``torch.float16``, or None for the precision of the weights.
    """
    token = _PRECISION.set(kind)
    try:
        yield
    finally:
        _PRECISION.reset(token)


def lowered(forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Mark the ``forward`` of a network as one that `lower_precision` is for; what it gives is of full precision."""

    @wraps(forward)
    def inside(self: nn.Module, x: Tensor) -> Tensor:
        kind = _PRECISION.get()
        if kind is None:
            return forward(self, x)
        with torch.autocast(x.device.type, kind):
            return forward(self, x).float()

    return inside


def hidden(inputs: int, layers: int, size: Size) -> nn.Sequential:
    """Make `layers` fully connected layers, each followed by batch normalisation, ELU and dropout."""
    parts: list[nn.Module] = []
    for _ in range(layers):
        parts += [nn.Linear(inputs, size.units), nn.BatchNorm1d(size.units), nn.ELU(), nn.Dropout(size.dropout)]
        inputs = size.units
    return nn.Sequential(*parts)


def mlp(inputs: int, outputs: int, layers: int, size: Size) -> nn.Sequential:
    """Make a perceptron of `layers` fully connected layers; all but the last are followed by BN, ELU and dropout."""
    return nn.Sequential(*hidden(inputs, layers - 1, size), nn.Linear(size.units if layers > 1 else inputs, outputs))


def spacing(layer: int, size: Size) -> tuple[int, int]:
    """Padding and dilation of a layer of convolutions; layers count from 0."""
    dilation = 2**layer
    return (size.kernel - 1) // 2 * (dilation + 1), dilation


def maps(mels: int, frames: int, size: Size) -> list[tuple[int, int]]:
    """Sides of the spectrogram and of the map after each layer of convolutions."""
    sides = [(mels, frames)]
    for layer in range(size.layers):
        padding, dilation = spacing(layer, size)
        grown = 2 * padding - dilation * (size.kernel - 1) - 1
        mels, frames = ((side + grown) // STRIDE + 1 for side in sides[-1])
        sides.append((mels, frames))
    return sides


def _slice_maps(x: Tensor, rows: slice, columns: slice) -> Tensor:
    """Slice maps with channels last; unlike a slice of the last two axes, this gives gradients with channels last too."""
    return x.permute(0, 2, 3, 1)[:, rows, columns].contiguous().permute(0, 3, 1, 2)


class StridedConv2d(nn.Conv2d):
    """Convolution of stride 2; where its dilation is even, it is computed from the quarter of the input that it uses.

    With an even dilation the kernel covers rows and columns of one parity only. These are convolved with a stride of 1 and
    half the dilation: the same sums in another order.

    Args:
        inputs: Channels of the input.
        outputs: Channels of the output.
        kernel: Side of the kernel.
        padding: Rows and columns of zeros on each side of the input.
        dilation: Distance between the elements of the kernel.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, padding: int, dilation: int = 1):
        super().__init__(inputs, outputs, kernel, STRIDE, padding, dilation)
        self.sparse = dilation % STRIDE == 0
        self.first = padding % STRIDE

    def forward(self, x: Float[Tensor, "items inputs _ _"]) -> Float[Tensor, "items outputs _ _"]:
        """The convolution of maps."""
        if not self.sparse:
            return super().forward(x)
        dilation = self.dilation[0]
        reach = 2 * int(self.padding[0]) - dilation * (self.kernel_size[0] - 1) - 1
        height, width = ((side + reach) // STRIDE + 1 for side in x.shape[2:])
        used = _slice_maps(x, slice(self.first, None, STRIDE), slice(self.first, None, STRIDE))
        inner = (int(self.padding[0]) + 1) // STRIDE
        y = functional.conv2d(used, self.weight, self.bias, 1, inner, dilation // STRIDE)
        return _slice_maps(y, slice(height), slice(width))


class StridedConvTranspose2d(nn.ConvTranspose2d):
    """Transposed convolution of stride 2; where its dilation is even, only the quarter that the kernel reaches is computed.

    The mirror of `StridedConv2d`: all other elements of the output are the bias.

    Args:
        inputs: Channels of the input.
        outputs: Channels of the output.
        kernel: Side of the kernel.
        padding: Rows and columns that are cut off on each side of the output.
        extra: Rows and columns that are added at its end.
        dilation: Distance between the elements of the kernel.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, padding: int, extra: tuple[int, int], dilation: int = 1):
        super().__init__(inputs, outputs, kernel, STRIDE, padding, extra, dilation=dilation)
        self.sparse = dilation % STRIDE == 0
        self.first = padding % STRIDE

    def forward(  # type: ignore[override]
        self, x: Float[Tensor, "items inputs _ _"]
    ) -> Float[Tensor, "items outputs _ _"]:
        """The transposed convolution of maps."""
        if not self.sparse:
            return super().forward(x)
        dilation = self.dilation[0]
        reach = dilation * (self.kernel_size[0] - 1) + 1 - 2 * int(self.padding[0])
        height, width = (
            STRIDE * (side - 1) + reach + int(extra)
            for side, extra in zip(x.shape[2:], self.output_padding, strict=True)
        )
        inner = int(self.padding[0]) // STRIDE
        y = functional.conv_transpose2d(x, self.weight, None, 1, inner, 0, 1, dilation // STRIDE)
        out = y.new_zeros(len(x), height, width, self.out_channels).permute(0, 3, 1, 2)
        reached = out[:, :, self.first :: STRIDE, self.first :: STRIDE]
        rows, columns = (slice(self.first, self.first + side) for side in reached.shape[2:])
        reached.copy_(_slice_maps(y, rows, columns))
        return out if self.bias is None else out + self.bias[:, None, None].to(y.dtype)


class Residual(nn.Module):
    """A layer of convolutions with a path around it: a trainable convolution of side 1 with the same stride, added.

    The published code's path around is a frozen convolution instead; the paper describes this one.

    Args:
        main: The layer.
        inputs: Channels of its input.
        outputs: Channels of its output.
        size: Sizes; its kernel's side is odd.

    Raises:
        ValueError: If the side of the kernel is even: the two paths would have maps of different sizes.
    """

    def __init__(self, main: nn.Module, inputs: int, outputs: int, size: Size):
        super().__init__()
        if size.kernel % 2 == 0:
            raise ValueError(f"kernel = {size.kernel}, expected an odd side for convolutions with a residual path")
        self.main = main
        # a layer's padding exceeds what its kernel takes by kernel - 1 in all, whatever the dilation
        self.around = StridedConv2d(inputs, outputs, 1, (size.kernel - 1) // 2)

    def forward(self, x: Float[Tensor, "items inputs _ _"]) -> Float[Tensor, "items outputs _ _"]:
        """The sum of both paths."""
        return self.main(x) + self.around(x)


class Convolutions(nn.Module):
    """Strided dilated convolutions over a spectrogram, each followed by batch normalisation and ELU.

    Layer l (from 0) has stride 2 and dilation 2^l. The padding, (kernel - 1) / 2 x (dilation + 1), leaves a map of 8 x 9
    from 64 x 80 after five layers with the paper's kernel of 7.

    Args:
        mels: Bands of the input.
        frames: Of the input.
        size: Sizes.
        residual: Whether each layer has a residual path, as in the paper's ResNet.
    """

    def __init__(self, mels: int, frames: int, size: Size, residual: bool = False):
        super().__init__()
        parts: list[nn.Module] = []
        channels = 1
        for layer in range(size.layers):
            convolution = StridedConv2d(channels, size.channels, size.kernel, *spacing(layer, size))
            main = [convolution, nn.BatchNorm2d(size.channels), nn.ELU()]
            parts += [Residual(nn.Sequential(*main), channels, size.channels, size)] if residual else main
            channels = size.channels
        # channels last: the same results, up to twice as fast on CPUs and GPUs
        self.layers = nn.Sequential(*parts).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        height, width = maps(mels, frames, size)[-1]
        self.features = channels * height * width

    @lowered
    def forward(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items features"]:
        """Features of standardised spectrograms."""
        return self.layers(mel[:, None].contiguous(memory_format=torch.channels_last)).flatten(1)


class Encoder(nn.Module):
    """Convolutions and the hidden layers of a perceptron: what an autoencoder's latent is linear in.

    With the linear layer that makes the latent it has the layers of the paper's CNN.

    Args:
        mels: Bands of the input.
        frames: Of the input.
        size: Sizes.
    """

    def __init__(self, mels: int, frames: int, size: Size):
        super().__init__()
        self.convolutions = Convolutions(mels, frames, size)
        self.hidden = hidden(self.convolutions.features, size.mlp_layers - 1, size)
        self.features = size.units if size.mlp_layers > 1 else self.convolutions.features

    @lowered
    def forward(self, mel: Float[Tensor, "items mels frames"]) -> Float[Tensor, "items features"]:
        """Features of standardised spectrograms."""
        return self.hidden(self.convolutions(mel))


class Decoder(nn.Module):
    """The encoder in reverse: a perceptron, then transposed convolutions, the last of them linear.

    Each transposed convolution has the stride, padding and dilation of the convolution it mirrors and gives back a map of
    exactly the size that one took, so that nothing has to be cropped (the published code crops 69 x 101 to 64 x 80). Strides
    and dilations of 2 leave gaps in the maps that the last layers close with kernels of 5 or more; of a kernel of 3 they
    don't, some bins then have a constant value.

    Args:
        latent: Dimensions of the latent.
        mels: Bands of the output.
        frames: Of the output.
        size: Sizes.
    """

    def __init__(self, latent: int, mels: int, frames: int, size: Size):
        super().__init__()
        sides = maps(mels, frames, size)
        self.map = (size.channels, *sides[-1])
        wide = size.channels * sides[-1][0] * sides[-1][1]
        self.perceptron = nn.Sequential(mlp(latent, wide, size.mlp_layers, size), nn.ELU())
        parts: list[nn.Module] = []
        for layer in reversed(range(size.layers)):
            outputs = size.channels if layer else 1
            padding, dilation = spacing(layer, size)
            least = 1 + dilation * (size.kernel - 1) - 2 * padding
            extra = [w - STRIDE * (g - 1) - least for w, g in zip(sides[layer], sides[layer + 1], strict=True)]
            parts.append(
                StridedConvTranspose2d(size.channels, outputs, size.kernel, padding, (extra[0], extra[1]), dilation)
            )
            if layer:
                parts += [nn.BatchNorm2d(outputs), nn.ELU()]
        self.layers = nn.Sequential(*parts).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @lowered
    def forward(self, z: Float[Tensor, "items latent"]) -> Float[Tensor, "items mels frames"]:
        """Standardised spectrograms."""
        start = self.perceptron(z).unflatten(1, self.map)
        return self.layers(start.contiguous(memory_format=torch.channels_last))[:, 0]


def initialise(module: nn.Module) -> None:
    """Set the weights of linear and convolution layers by Xavier's rule and their biases to zero."""
    for part in module.modules():
        if isinstance(part, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
