"""Monotonic rational-quadratic spline.

The spline and the logarithm of its derivative are one operator of torch with gradients in closed form. Automatic
differentiation would record many small operators for each spline.

References:
    Durkan et al. 2019, Neural spline flows: section 3.1 and appendix A.
"""

from math import e, log
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.distributions import Transform, constraints
from torch.nn.functional import pad, softmax, softplus


class Spline(Transform):
    """Monotonic rational-quadratic spline on a square; outside it the map is the identity.

    Training is deterministic: knots are computed by a matrix product, as cumulative sums are not on GPUs.

    Args:
        widths: Unconstrained widths of the bins.
        heights: Unconstrained heights of the bins.
        slopes: Unconstrained slopes at the inner knots. If all arguments are zero, the spline is the identity.
        bound: Half the side of the square.
        least: Minimum share of a bin, and minimum slope of a knot.

    References:
        Durkan et al. 2019, section 3.1.

    Examples:
        >>> spline = Spline(torch.zeros(8), torch.zeros(8), torch.zeros(7))
        >>> spline(torch.tensor([-6.0, 0.25]))
        tensor([-6.0000,  0.2500])
    """

    domain = constraints.real
    codomain = constraints.real
    bijective = True
    sign = +1

    def __init__(
        self,
        widths: Float[Tensor, "*batch bins"],
        heights: Float[Tensor, "*batch bins"],
        slopes: Float[Tensor, "*batch inner"],
        bound: float = 5.0,
        least: float = 1e-3,
    ):
        super().__init__()
        bins = widths.shape[-1]
        below = torch.ones(bins, bins + 1, dtype=widths.dtype, device=widths.device).triu(1)
        to_knots = 2 * bound * (1 - least * bins) * below
        number = torch.arange(bins + 1, dtype=widths.dtype, device=widths.device)
        first = number * (2 * bound * least) - bound  # knots of bins of the minimum share
        corners = softmax(torch.stack((widths, heights), -2), -1) @ to_knots + first
        derivatives = pad(least + (1 - least) * softplus(slopes + log(e - 1)), (1, 1), value=1.0)
        self.bound = bound
        self.knots = torch.cat((corners, derivatives.unsqueeze(-2)), -2)
        self._inverted: tuple[Tensor, Tensor] | None = None

    def call_and_ladj(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the values of the spline, and the logarithms of its derivatives."""
        return self._evaluate(x, inverse=False)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the logarithms of the derivatives at `x`."""
        if self._inverted is not None and self._inverted[0] is x:  # computed with the inverse
            return self._inverted[1]
        return self.call_and_ladj(x)[1]

    def _call(self, x: Tensor) -> Tensor:
        return self.call_and_ladj(x)[0]

    def _inverse(self, y: Tensor) -> Tensor:
        self._inverted = self._evaluate(y, inverse=True)
        return self._inverted[0]

    def _evaluate(self, value: Tensor, inverse: bool) -> tuple[Tensor, Tensor]:
        shape = torch.broadcast_shapes(value.shape, self.knots.shape[:-2])
        knots = self.knots.expand(*shape, *self.knots.shape[-2:])
        return _RationalQuadratic.apply(value.expand(shape), knots, self.bound, inverse)


class _RationalQuadratic(torch.autograd.Function):
    """The spline or its inverse, and the logarithm of the derivative of the spline.

    With the position z in a bin from 0 to 1, the bin's width w, height h and mean slope s = h / w, and the slopes d0 and
    d1 at its ends, the spline is y = y0 + h r with r = (s z^2 + d0 t) / n, t = z (1 - z), n = s + (d0 + d1 - 2 s) t. Its
    derivative is q (s / n)^2 with q = 2 s t + d0 (1 - z)^2 + d1 z^2.
    """

    @staticmethod
    def forward(ctx: Any, value: Tensor, knots: Tensor, bound: float, inverse: bool) -> tuple[Tensor, Tensor]:
        """Evaluate at `value`, of the shape batch, with horizontal, vertical and slope knots: batch x 3 x knots."""
        inner = knots[..., int(inverse), 1:-1].contiguous()
        left = torch.searchsorted(inner, value.unsqueeze(-1).contiguous())
        index = torch.cat((left, left + 1), -1).unsqueeze(-2).expand(*value.shape, 3, 2)
        x0, x1, y0, y1, d0, d1 = knots.gather(-1, index).flatten(-2).unbind(-1)
        w, h = x1 - x0, y1 - y0
        s = h / w
        bend = d0 + d1 - 2 * s
        inside = value.abs() < bound
        if inverse:
            rise = inside * (value - y0)
            a, b, c = h * (s - d0) + rise * bend, h * d0 - rise * bend, -s * rise
            z = 2 * c / (-b - (b.square() - 4 * a * c).sqrt())
        else:
            z = inside * (value - x0) / w
        t = z * (1 - z)
        n = s + bend * t
        r = (s * z.square() + d0 * t) / n
        q = 2 * s * t + d0 * (1 - z).square() + d1 * z.square()
        derivative = q * (s / n).square()
        result = x0 + z * w if inverse else y0 + h * r
        ctx.save_for_backward(inside, index, z, t, w, h, s, bend, d0, d1, n, r, q, derivative)
        ctx.inverse, ctx.knots = inverse, knots.shape[-1]
        return torch.where(inside, result, value), inside * derivative.log()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, grad_log: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """Return the gradients of `value` and `knots`; partial derivatives at a fixed position z are added to those of z."""
        inside, index, z, t, w, h, s, bend, d0, d1, n, r, q, derivative = ctx.saved_tensors
        outer, log_inside = grad * inside, grad_log * inside
        rest, turn = 1 - z, 1 - 2 * z
        over_n, over_q = 1 / n, log_inside / q
        log_n = 2 * log_inside * over_n  # of -log n^2
        grad_z = 2 * over_q * (s * turn - d0 * rest + d1 * z) - log_n * bend * turn
        if ctx.inverse:  # z is a function of value and knots: the partial derivatives of y are divided by that of z
            grad_value = (outer * w + grad_z) / (derivative * w)
            grad_y, grad_x0, grad_w = -grad_value, outer, outer * z
        else:
            grad_value = outer * derivative + grad_z / w
            grad_y, grad_x0, grad_w = outer, -grad_value, -grad_value * z
        scaled = grad_y * h * over_n
        grad_s = scaled * (z.square() - r * (1 - 2 * t)) + log_inside * 2 / s + 2 * over_q * t - log_n * (1 - 2 * t)
        grad_d0 = scaled * t * (1 - r) + over_q * rest.square() - log_n * t
        grad_d1 = -scaled * t * r + over_q * z.square() - log_n * t
        grad_h = grad_y * r + grad_s / w
        grad_w = grad_w - grad_s * s / w
        ends = torch.stack((grad_x0 - grad_w, grad_w, grad_y - grad_h, grad_h, grad_d0, grad_d1), -1)
        # the two knots of a bin differ: writing is deterministic on GPUs, adding would not be
        grad_knots = z.new_zeros(*z.shape, 3, ctx.knots).scatter_(-1, index, ends.unflatten(-1, (3, 2)))
        return torch.where(inside, grad_value, grad), grad_knots, None, None
