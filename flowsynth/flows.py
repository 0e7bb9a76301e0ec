"""Normalising flows: densities of latents and of presets that are drawn from, evaluated and inverted; built on zuko.

A zuko `Flow` keeps the map from data to noise as ``transform`` and gives a distribution for a context, one for each item.
Which direction of an autoregressive map takes one pass, and which takes one for each dimension, is the choice made here:

=====================  ===================  ========================  =========================================
flow                   draw, and its        density of any point      used for
                       density
=====================  ===================  ========================  =========================================
`posterior_flow`       one pass             a pass for each           posterior of a VAE: only draws are evaluated
                                            dimension
`coupling_posterior`   one pass             one pass                  posterior that is evaluated where a preset
                                                                      falls in the latent space
`Regression`           one pass             one pass                  map between latent and preset
`conditional_flow`     a pass for each      one pass                  presets that belong to a latent
                       dimension
=====================  ===================  ========================  =========================================

All parameters of a map that has a context are put out by a network that hears the context: the flows are amortised.

References:
    Rezende and Mohamed 2015, Variational inference with normalizing flows.
    Kingma et al. 2016, Improving variational inference with inverse autoregressive flow.
    Dinh et al. 2017, Density estimation using Real NVP.
    Papamakarios et al. 2017, Masked autoregressive flow for density estimation.
    Durkan et al. 2019, Neural spline flows.
"""

from collections.abc import Sequence
from math import e, log, pi
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import AffineTransform, Distribution, Independent, Normal, SigmoidTransform, Transform
from torch.nn.functional import pad, softmax, softplus
from zuko.distributions import NormalizingFlow
from zuko.flows import GeneralCouplingTransform, MaskedAutoregressiveTransform
from zuko.lazy import (
    Flow,
    LazyComposedTransform,
    LazyDistribution,
    LazyTransform,
    UnconditionalDistribution,
    UnconditionalTransform,
)
from zuko.transforms import ComposedTransform, MonotonicAffineTransform, MonotonicRQSTransform

WIDTH = 1 / 128  # of the dequantisation noise: a step of a MIDI controller
BINS = 8
UNITS = 64
# of what the networks of a flow put out; flows then begin near the identity, and the first steps of Adam, which changes
# every weight by as much as the learning rate, do not throw presets and latents out of each other's reach
CALM = 0.1


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
    """Zuko's affine map of the numbers that a network puts out."""
    return MonotonicAffineTransform(CALM * shift, CALM * scale)


AFFINE: dict[str, Any] = {"univariate": affine, "shapes": [(), ()]}
SPLINE: dict[str, Any] = {"univariate": Spline, "shapes": [(BINS,), (BINS,), (BINS - 1,)]}


def normal(mean: Tensor, std: Tensor) -> Distribution:
    """A normal distribution of independent dimensions. It does not check its arguments: the training checks the loss."""
    return Independent(Normal(mean, std, validate_args=False), 1, validate_args=False)


def standard(dim: int) -> LazyDistribution:
    """Standard normal noise of `dim` dimensions."""
    return UnconditionalDistribution(normal, torch.zeros(dim), torch.ones(dim), buffer=True)


class Gaussian(LazyDistribution):
    """A normal distribution whose means and standard deviations are read off the context by a linear layer.

    Args:
        dim: Dimensions.
        context: Number of features of the context.
    """

    def __init__(self, dim: int, context: int):
        super().__init__()
        self.head = nn.Linear(context, 2 * dim)

    def forward(self, c: Float[Tensor, "*items context"]) -> Distribution:
        """The distribution of each item."""
        mean, raw = self.head(c).chunk(2, dim=-1)
        return normal(mean, softplus(raw + log(e - 1)) + 1e-3)


def _autoregressive(dim: int, context: int, number: int, **options: Any) -> Sequence[LazyTransform]:
    """Masked autoregressive maps, in ascending and descending order of the dimensions by turns."""
    order = torch.arange(dim)
    return [
        MaskedAutoregressiveTransform(
            dim, context, order=order.flip(0) if step % 2 else order, activation=nn.ELU, **options
        )
        for step in range(number)
    ]


def _couplings(dim: int, context: int, number: int, **options: Any) -> Sequence[LazyTransform]:
    """Couplings that transform the dimensions of even and of odd number by turns."""
    odd = torch.arange(dim) % 2 == 1
    return [
        GeneralCouplingTransform(dim, context, mask=~odd if step % 2 else odd, activation=nn.ELU, **options)
        for step in range(number)
    ]


def posterior_flow(dim: int, context: int, steps: int = 16) -> Flow:
    """Make an inverse autoregressive flow: a Gaussian read off the context, then affine steps that hear it too.

    Its draws and their density, `NormalizingFlow.rsample_and_log_prob`, take one pass through each step.

    Args:
        dim: Dimensions of the latent.
        context: Features of the encoder.
        steps: Of the flow; the paper has 16.

    References:
        Kingma et al. 2016. The published code gave its flow no context that gradients reach, so that its posterior was
        one Gaussian an item under a map common to all; here each step hears the item.
    """
    return Flow(
        LazyComposedTransform(*_autoregressive(dim, context, steps, hidden_features=[UNITS], **AFFINE)).inv,
        Gaussian(dim, context),
    )


def coupling_posterior(dim: int, context: int, steps: int = 4) -> Flow:
    """Make a posterior like `posterior_flow` whose density is cheap at any point: couplings instead of autoregression.

    Args:
        dim: Dimensions of the latent.
        context: Features of the encoder.
        steps: Of the flow; each transforms one half of the dimensions given the other.

    References:
        Dinh et al. 2017; Durkan et al. 2019.
    """
    return Flow(_couplings(dim, context, steps, hidden_features=[UNITS, UNITS], **SPLINE), Gaussian(dim, context))


def conditional_flow(dim: int, context: int, steps: int = 3) -> Flow:
    """Make a density of presets given a context: an autoregressive spline flow between logits and standard noise.

    Args:
        dim: Number of parameters.
        context: Features that the density depends on.
        steps: Of the flow.

    Returns:
        A flow over values in [-`WIDTH` / 2, 1 + `WIDTH` / 2]; give it dequantised values, and clamp what it draws.

    References:
        Papamakarios et al. 2017; Durkan et al. 2019.
    """
    maps = _autoregressive(dim, context, steps, hidden_features=[2 * UNITS, 2 * UNITS], **SPLINE)
    return Flow([UnconditionalTransform(bounded), *maps], standard(dim))


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
            *_couplings(dim, 0, steps, hidden_features=[2 * UNITS, 2 * UNITS], **SPLINE),
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


def draw(flow: NormalizingFlow, n: int) -> Float[Tensor, "n items dim"]:
    """Draw from the distributions of several items, with the same noise for each of them.

    A draw does then not depend on how many items there are; draws of one item are independent of each other.

    Args:
        flow: Distributions over a normal base, one an item, or n x items of which one draw each is made.
        n: Draws for each item.
    """
    mean, std = flow.base.mean, flow.base.stddev
    noise = torch.randn(n, 1, mean.shape[-1], dtype=mean.dtype, device=mean.device)
    return flow.transform.inv(mean + std * noise)


def centre(flow: NormalizingFlow) -> Float[Tensor, "items dim"]:
    """The one point that stands for a distribution: what the mean of its base is mapped to.

    A flow's own mean has no closed form, and many draws would be needed to estimate it.

    Args:
        flow: Distributions over a normal base, one an item.
    """
    return flow.transform.inv(flow.base.mean)


def kl_to_prior(z: Float[Tensor, "items dim"], log_density: Float[Tensor, " items"]) -> Float[Tensor, ""]:
    """Estimate, from one draw an item, the KL divergence from the prior N(0, I), in nats, its mean over the items.

    Args:
        z: Draws from a posterior.
        log_density: Of the draws, under that posterior.

    References:
        Rezende and Mohamed 2015, equation 15.
    """
    log_prior = -(z.square() + log(2 * pi)).sum(dim=1) / 2
    return (log_density - log_prior).mean()
