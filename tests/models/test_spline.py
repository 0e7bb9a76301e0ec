"""The spline and its closed-form gradients; reference: the spline of zuko, and finite differences."""

import pytest
import torch
from torch import Tensor
from torch.distributions import Transform
from zuko.transforms import MonotonicRQSTransform

from flowsynth.models.nn.spline import Spline

BOUND = 5.0


class Reference(MonotonicRQSTransform):
    """Spline of zuko with given knots."""

    def __init__(self, knots: Tensor):
        Transform.__init__(self)
        self.horizontal, self.vertical, self.derivatives = knots.unbind(-2)


@pytest.fixture
def raw() -> list[Tensor]:
    torch.manual_seed(0)
    return [(2 * torch.randn(6, 5, count, dtype=torch.float64)).requires_grad_() for count in (8, 8, 7)]


@pytest.fixture
def x() -> Tensor:
    """Values inside the square and outside."""
    values = 4 * torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert 3 < int((values.abs() > BOUND).sum()) < 27
    return values.requires_grad_()


def inverse_and_ladj(y: Tensor, *raw: Tensor) -> tuple[Tensor, Tensor]:
    spline = Spline(*raw)
    x = spline.inv(y)
    return x, spline.log_abs_det_jacobian(x, y)


def test_values_are_those_of_the_reference(raw: list[Tensor], x: Tensor):
    spline = Spline(*raw)
    reference = Reference(spline.knots)
    torch.testing.assert_close(spline.call_and_ladj(x), reference.call_and_ladj(x))
    inverted, ladj = inverse_and_ladj(x, *raw)
    torch.testing.assert_close(inverted, reference.inv(x))
    torch.testing.assert_close(ladj, reference.call_and_ladj(inverted)[1])


def test_the_inverse_restores_the_values(raw: list[Tensor], x: Tensor):
    spline = Spline(*raw)
    torch.testing.assert_close(spline.inv(spline(x)), x)
    torch.testing.assert_close(spline.log_abs_det_jacobian(x.detach(), x), spline.call_and_ladj(x)[1])


@pytest.mark.slow
def test_gradients_are_those_of_finite_differences(raw: list[Tensor], x: Tensor):
    assert torch.autograd.gradcheck(lambda x, *raw: Spline(*raw).call_and_ladj(x), (x, *raw))
    assert torch.autograd.gradcheck(inverse_and_ladj, (x, *raw))


def test_knots_of_one_item_apply_to_many_values(raw: list[Tensor]):
    values = torch.linspace(-6, 6, 7, dtype=torch.float64).reshape(7, 1, 1).requires_grad_()
    spline = Spline(*raw)
    assert spline(values).shape == (7, 6, 5)
    repeated = Spline(*(part.expand(7, *part.shape) for part in raw))
    torch.testing.assert_close(spline(values), repeated(values.expand(7, 6, 5)))
    (grad,) = torch.autograd.grad(spline(values).sum(), raw[0])
    (expected,) = torch.autograd.grad(repeated(values.expand(7, 6, 5)).sum(), raw[0])
    torch.testing.assert_close(grad, expected)


def test_the_ends_of_the_square_are_continuous(raw: list[Tensor]):
    ends = torch.tensor([-BOUND, BOUND], dtype=torch.float64)
    for value in (ends * (1 - 1e-12), ends, ends * (1 + 1e-12)):
        for spline in (Spline(*(part[0, 0] for part in raw)), Spline(*(part[0, 0] for part in raw)).inv):
            torch.testing.assert_close(spline(value), ends)


def test_the_derivative_is_one_outside(raw: list[Tensor]):
    y, ladj = Spline(*raw).call_and_ladj(torch.full((6, 5), 7.0, dtype=torch.float64))
    assert (y == 7).all() and (ladj == 0).all()
