"""Invertible maps, built on zuko: what normalising flows are composed of, and the map between latents and presets.

References:
    Rezende and Mohamed 2015, Variational inference with normalizing flows.
    Dinh et al. 2017, Density estimation using Real NVP.
    Papamakarios et al. 2017, Masked autoregressive flow for density estimation.
    Durkan et al. 2019, Neural spline flows.
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import e, log
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import AffineTransform, SigmoidTransform, Transform
from torch.nn.functional import pad, softmax, softplus
from zuko.flows import GeneralCouplingTransform, MaskedAutoregressiveTransform
from zuko.lazy import LazyComposedTransform, LazyTransform, UnconditionalTransform
from zuko.transforms import ComposedTransform, CouplingTransform, MonotonicAffineTransform, MonotonicRQSTransform

WIDTH = 1 / 128  # of the dequantisation noise: a step of a MIDI controller
BINS = 8
UNITS = 64
# of what the networks of a flow put out; flows then begin near the identity, and the first steps of Adam, which changes
# every weight by as much as the learning rate, do not throw presets and latents out of each other's reach
CALM = 0.3


def dequantise(values: Float[Tensor, "*items parameters"]) -> Float[Tensor, "*items parameters"]:
    """Add uniform noise of `WIDTH`, centred on zero.

    Many values of presets are exactly 0, exactly 1 or on a step, where a density could grow without end; spread over
    `WIDTH`, it cannot exceed 1 / `WIDTH` in any dimension by learning that alone.

    Args:
        values: In [0, 1].

    Returns:
        Values in [-`WIDTH` / 2, 1 + `WIDTH` / 2].
    """
    return values + WIDTH * (torch.rand_like(values) - 0.5)


def bounded() -> Transform:
    """Make the map from dequantised values to the real line: squashed into (0, 1), logit, halved.

    The squash is ``WIDTH + (1 - 2 WIDTH) value``, so that all dequantised values, 0 and 1 too, have finite logits, of at
    most 5.6; halved, they are about as wide as standard normal noise. The inverse gives values a little outside [0, 1]
    for logits beyond those, to be clamped: that is how a density says "exactly 0".
    """
    return ComposedTransform(AffineTransform(WIDTH, 1 - 2 * WIDTH), SigmoidTransform().inv, AffineTransform(0.0, 0.5))


class Spline(MonotonicRQSTransform):
    """Zuko's monotonic rational-quadratic spline, its knots summed up by a matrix product.

    Trainings are deterministic, and cumulative sums, which zuko uses, are not on GPUs: torch refuses them there.

    Args:
        widths: Of the bins, unconstrained.
        heights: Of the bins, unconstrained.
        slopes: At the inner knots, unconstrained; with zeros everywhere the spline is the identity.
        bound: Half the side of the square that the spline is in; outside of it is the identity.
        least: Smallest share of a bin, and smallest slope of a knot.

    References:
        Durkan et al. 2019, section 3.1.
    """

    def __init__(
        self,
        widths: Float[Tensor, "*batch bins"],
        heights: Float[Tensor, "*batch bins"],
        slopes: Float[Tensor, "*batch inner"],
        bound: float = 5.0,
        least: float = 1e-3,
    ):
        Transform.__init__(self)
        bins = widths.shape[-1]
        below = torch.ones(bins, bins + 1, dtype=widths.dtype, device=widths.device).triu(1)

        def knots(shares: Tensor) -> Tensor:
            return bound * (2 * (least + (1 - least * bins) * softmax(shares, -1)) @ below - 1)

        self.horizontal, self.vertical = knots(CALM * widths), knots(CALM * heights)
        self.derivatives = pad(least + (1 - least) * softplus(CALM * slopes + log(e - 1)), (1, 1), value=1.0)


def affine(shift: Tensor, scale: Tensor) -> Transform:
    """Zuko's affine map of the numbers that a network puts out, its scale within 1/2 and 2.

    Many of them in a row, each of which hears what the last one gave, would otherwise now and then be off to infinity.
    """
    return MonotonicAffineTransform(CALM * shift, CALM * scale, slope=0.5)


AFFINE: dict[str, Any] = {"univariate": affine, "shapes": [(), ()]}
SPLINE: dict[str, Any] = {"univariate": Spline, "shapes": [(BINS,), (BINS,), (BINS - 1,)]}


def autoregressive(dim: int, context: int, number: int, **options: Any) -> Sequence[LazyTransform]:
    """Masked autoregressive maps, in ascending and descending order of the dimensions by turns."""
    order = torch.arange(dim)
    return [
        MaskedAutoregressiveTransform(
            dim, context, order=order.flip(0) if step % 2 else order, activation=nn.ELU, **options
        )
        for step in range(number)
    ]


class Halves(CouplingTransform):
    """Zuko's coupling, told which dimensions are its halves: to look for them would wait for the device.

    Args:
        meta: Gives the map of the second half for the first one.
        first: Numbers of the dimensions that stay.
        second: Numbers of those that are transformed.
    """

    def __init__(self, meta: Callable[[Tensor], Transform], first: Tensor, second: Tensor):
        Transform.__init__(self)
        self.meta, self.idx_a, self.idx_b = meta, first, second


class Coupling(GeneralCouplingTransform):
    """Zuko's coupling layer, whose halves are found once."""

    first: Tensor
    second: Tensor

    def __init__(self, *given: Any, **options: Any):
        super().__init__(*given, **options)
        for name, mask in (("first", self.mask), ("second", ~self.mask)):
            self.register_buffer(name, mask.nonzero().squeeze(-1), persistent=False)

    def forward(self, c: Tensor | None = None) -> Transform:
        """The map for a context."""
        return Halves(partial(self.meta, c), self.first, self.second)


def couplings(dim: int, context: int, number: int, **options: Any) -> Sequence[LazyTransform]:
    """Couplings that transform the dimensions of even and of odd number by turns."""
    odd = torch.arange(dim) % 2 == 1
    return [
        Coupling(dim, context, mask=~odd if step % 2 else odd, activation=nn.ELU, **options) for step in range(number)
    ]


class Shared(LazyTransform):
    """A map that is the same for every context.

    Args:
        transform: Made without a context.
    """

    def __init__(self, transform: LazyTransform):
        super().__init__()
        self.transform = transform

    def forward(self, c: Tensor | None = None) -> Transform:
        """The map; the context is left aside."""
        return self.transform()


class Regression(nn.Module):
    """An invertible map between latents and presets of as many parameters: coupling splines, then a sigmoid.

    Args:
        dim: Number of parameters, and of latent dimensions.
        steps: Couplings; each transforms one half of the dimensions given the other.

    References:
        Rezende and Mohamed 2015 for the change of variables; Dinh et al. 2017 and Durkan et al. 2019 for the maps. The
        paper's regression flow is an inverse autoregressive flow; couplings are as cheap in both directions.
    """

    def __init__(self, dim: int, steps: int = 4):
        super().__init__()
        self.transform = LazyComposedTransform(
            UnconditionalTransform(bounded),
            *couplings(dim, 0, steps, hidden_features=[2 * UNITS, 2 * UNITS], **SPLINE),
        )

    def to_latent(
        self, values: Float[Tensor, "*items parameters"]
    ) -> tuple[Float[Tensor, "*items parameters"], Float[Tensor, "*items"]]:
        """Place presets in the latent space.

        Args:
            values: Parameters in [-`WIDTH` / 2, 1 + `WIDTH` / 2].

        Returns:
            Latents, and the logarithm of the absolute determinant of the map's Jacobian.
        """
        return self.transform().call_and_ladj(values)

    def to_parameters(
        self, z: Float[Tensor, "*items parameters"]
    ) -> tuple[Float[Tensor, "*items parameters"], Float[Tensor, "*items"]]:
        """Place latents in the space of presets.

        Args:
            z: Latents.

        Returns:
            Parameters, not clamped to [0, 1], and the logarithm of the absolute determinant of the map's Jacobian.
        """
        return self.transform().inv.call_and_ladj(z)
