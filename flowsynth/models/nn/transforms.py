"""Invertible maps built on zuko: the steps of normalising flows, and the map between latents and presets.

References:
    Rezende and Mohamed 2015, Variational inference with normalizing flows.
    Dinh et al. 2017, Density estimation using Real NVP.
    Papamakarios et al. 2017, Masked autoregressive flow for density estimation.
    Durkan et al. 2019, Neural spline flows.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import AffineTransform, SigmoidTransform, Transform
from zuko.flows import GeneralCouplingTransform, MaskedAutoregressiveTransform
from zuko.lazy import LazyComposedTransform, LazyTransform, UnconditionalTransform
from zuko.transforms import ComposedTransform, CouplingTransform, MonotonicAffineTransform

from flowsynth.models.nn.spline import Spline

WIDTH = 1 / 128  # width of the dequantisation noise: a step of a MIDI controller
BINS = 8  # bins of a spline
UNITS = 64  # units of a hidden layer
# Scale of the outputs of the networks in a flow. Flows start near the identity, and the first steps of Adam, which
# change every weight by the learning rate, keep presets and latents within range of each other.
OUTPUT_SCALE = 0.3


def dequantise(values: Float[Tensor, "*items parameters"]) -> Float[Tensor, "*items parameters"]:
    """Add uniform noise of `WIDTH`, centred on zero.

    Many preset values are exactly 0, exactly 1 or on a step, where a density is unbounded. The noise bounds it by
    1 / `WIDTH` in each dimension.

    Args:
        values: Parameters in [0, 1].

    Returns:
        Values in [-`WIDTH` / 2, 1 + `WIDTH` / 2].

    Examples:
        >>> values = torch.tensor([0.0, 0.5, 1.0])
        >>> bool(((dequantise(values) - values).abs() <= WIDTH / 2).all())
        True
    """
    return values + WIDTH * (torch.rand_like(values) - 0.5)


def logit_transform() -> Transform:
    """Build the map from dequantised values to the real line: half the logit of values scaled into (0, 1).

    The scaling is ``WIDTH + (1 - 2 WIDTH) value``, so that the logits of all dequantised values, including 0 and 1, are
    at most 5.6 in magnitude. Half the logits vary about as much as standard normal noise. The inverse maps larger ones
    to values slightly outside [0, 1], which are clamped: this is how a density represents an exact 0 or 1.

    >>> logit_transform()(torch.tensor([0.0, 0.5, 1.0]))
    tensor([-2.4221,  0.0000,  2.4221])
    """
    return ComposedTransform(AffineTransform(WIDTH, 1 - 2 * WIDTH), SigmoidTransform().inv, AffineTransform(0.0, 0.5))


def spline(widths: Tensor, heights: Tensor, slopes: Tensor) -> Transform:
    """Return the spline for the outputs of a network."""
    return Spline(OUTPUT_SCALE * widths, OUTPUT_SCALE * heights, OUTPUT_SCALE * slopes)


def affine(shift: Tensor, scale: Tensor) -> Transform:
    """Return the affine map of zuko for the outputs of a network, with a scale between 1/2 and 2.

    Without these limits, a sequence of maps that each depend on the previous one can diverge.
    """
    return MonotonicAffineTransform(OUTPUT_SCALE * shift, OUTPUT_SCALE * scale, slope=0.5)


AFFINE: dict[str, Any] = {"univariate": affine, "shapes": [(), ()]}
SPLINE: dict[str, Any] = {"univariate": spline, "shapes": [(BINS,), (BINS,), (BINS - 1,)]}


def autoregressive(dim: int, context: int, number: int, **options: Any) -> Sequence[LazyTransform]:
    """Build masked autoregressive maps that alternate between ascending and descending order of the dimensions."""
    order = torch.arange(dim)
    return [
        MaskedAutoregressiveTransform(
            dim, context, order=order.flip(0) if step % 2 else order, activation=nn.ELU, **options
        )
        for step in range(number)
    ]


class IndexedCouplingTransform(CouplingTransform):
    """Coupling of zuko with given indices of its halves; computing them from a mask would wait for the device.

    Args:
        meta: Returns the map of the second half for a first half.
        first: Indices of the dimensions that are kept.
        second: Indices of the dimensions that are transformed.
    """

    def __init__(self, meta: Callable[[Tensor], Transform], first: Tensor, second: Tensor):
        Transform.__init__(self)
        self.meta, self.idx_a, self.idx_b = meta, first, second
        self._inverted: tuple[Tensor, Transform, Tensor, Tensor] | None = None

    def _inverse(self, y: Tensor) -> Tensor:
        first, second = self.split(y)
        transform = self.meta(first)
        original = transform.inv(second)
        x = self.merge(first, original, y.shape)
        self._inverted = x, transform, original, second
        return x

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the logarithms of the derivatives at `x`; the network is not evaluated again after an inversion."""
        if self._inverted is None or self._inverted[0] is not x:
            return super().log_abs_det_jacobian(x, y)
        _, transform, original, second = self._inverted
        return transform.log_abs_det_jacobian(original, second)


class Coupling(GeneralCouplingTransform):
    """Coupling layer of zuko that computes the indices of its halves once."""

    first: Tensor
    second: Tensor

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        for name, mask in (("first", self.mask), ("second", ~self.mask)):
            self.register_buffer(name, mask.nonzero().squeeze(-1), persistent=False)

    def forward(self, c: Tensor | None = None) -> Transform:
        """Return the map for a context."""
        return IndexedCouplingTransform(partial(self.meta, c), self.first, self.second)


def couplings(dim: int, context: int, number: int, **options: Any) -> Sequence[LazyTransform]:
    """Build couplings that alternate between transforming the dimensions of even and of odd index."""
    odd = torch.arange(dim) % 2 == 1
    return [
        Coupling(dim, context, mask=~odd if step % 2 else odd, activation=nn.ELU, **options) for step in range(number)
    ]


class SharedTransform(LazyTransform):
    """Map that is the same for every context.

    Args:
        transform: Map without a context.
    """

    def __init__(self, transform: LazyTransform):
        super().__init__()
        self.transform = transform

    def forward(self, c: Tensor | None = None) -> Transform:
        """Return the map; the context is ignored."""
        return self.transform()


class RegressionFlow(nn.Module):
    """Invertible map between latents and presets of the same dimension: coupling splines, then a sigmoid.

    Args:
        dim: Number of parameters, and of latent dimensions.
        steps: Number of couplings; each transforms one half of the dimensions given the other.

    References:
        Rezende and Mohamed 2015 for the change of variables; Dinh et al. 2017 and Durkan et al. 2019 for the maps. The
        regression flow of the paper is an inverse autoregressive flow; couplings are cheap in both directions.

    Examples:
        >>> flow, presets = RegressionFlow(3), torch.rand(5, 3)
        >>> latents, _ = flow.to_latent(presets)
        >>> torch.allclose(flow.to_parameters(latents)[0], presets, atol=1e-4)
        True
    """

    def __init__(self, dim: int, steps: int = 4):
        super().__init__()
        self.transform = LazyComposedTransform(
            UnconditionalTransform(logit_transform),
            *couplings(dim, 0, steps, hidden_features=[2 * UNITS, 2 * UNITS], **SPLINE),
        )

    def to_latent(
        self, values: Float[Tensor, "*items parameters"]
    ) -> tuple[Float[Tensor, "*items parameters"], Float[Tensor, "*items"]]:
        """Map presets to latents.

        Args:
            values: Parameters in [-`WIDTH` / 2, 1 + `WIDTH` / 2].

        Returns:
            Latents, and the logarithm of the absolute determinant of the Jacobian of the map.
        """
        return self.transform().call_and_ladj(values)

    def to_parameters(
        self, z: Float[Tensor, "*items parameters"]
    ) -> tuple[Float[Tensor, "*items parameters"], Float[Tensor, "*items"]]:
        """Map latents to presets.

        Args:
            z: Latents.

        Returns:
            Parameters, not clamped to [0, 1], and the logarithm of the absolute determinant of the Jacobian of the map.
        """
        return self.transform().inv.call_and_ladj(z)
