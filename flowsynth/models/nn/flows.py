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
`disentangling_flow`   one pass             one pass                  the same, with steps common to all sounds
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

from math import e, log

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal
from torch.nn.functional import softplus
from zuko.distributions import NormalizingFlow
from zuko.lazy import Flow, LazyComposedTransform, LazyDistribution, UnconditionalDistribution, UnconditionalTransform

from flowsynth.models.nn.transforms import AFFINE, SPLINE, UNITS, Shared, autoregressive, bounded, couplings


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
        LazyComposedTransform(*autoregressive(dim, context, steps, hidden_features=[UNITS], **AFFINE)).inv,
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
    return Flow(couplings(dim, context, steps, hidden_features=[UNITS, UNITS], **SPLINE), Gaussian(dim, context))


def disentangling_flow(dim: int, context: int, steps: int = 4, shared: int = 4) -> Flow:
    """Make a posterior like `coupling_posterior` that ends in couplings which are common to all items.

    What is asked of some dimension of the latent, these can give to all items alike.

    Args:
        dim: Dimensions of the latent.
        context: Features of the encoder.
        steps: Couplings that hear the context.
        shared: Couplings that don't; the published code has 8 autoregressive steps, 4 in its first version.
    """
    common = [Shared(step) for step in couplings(dim, 0, shared, hidden_features=[UNITS], **AFFINE)]
    heard = couplings(dim, context, steps, hidden_features=[UNITS, UNITS], **SPLINE)
    return Flow([*common, *heard], Gaussian(dim, context))


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
    maps = autoregressive(dim, context, steps, hidden_features=[2 * UNITS, 2 * UNITS], **SPLINE)
    return Flow([UnconditionalTransform(bounded), *maps], standard(dim))


def draw(flow: NormalizingFlow, n: int) -> Float[Tensor, "n items dim"]:
    """Draw from the distributions of several items, with the same noise for each of them.

    A draw does then not depend on how many items there are; draws of one item are independent of each other.

    Args:
        flow: Distributions over a normal base, one an item, or n x items of which one draw each is made.
        n: Draws for each item.
    """
    mean, std = flow.base.mean, flow.base.stddev
    noise = torch.randn(n, 1, mean.shape[-1], dtype=mean.dtype).to(mean.device)  # the same on every device
    return flow.transform.inv(mean + std * noise)


def centre(flow: NormalizingFlow) -> Float[Tensor, "items dim"]:
    """The one point that stands for a distribution: what the mean of its base is mapped to.

    A flow's own mean has no closed form, and many draws would be needed to estimate it.

    Args:
        flow: Distributions over a normal base, one an item.
    """
    return flow.transform.inv(flow.base.mean)


def kl_by_draws(
    z: Float[Tensor, "items dim"], log_density: Float[Tensor, " items"], prior: Distribution
) -> Float[Tensor, ""]:
    """Estimate, from one draw an item, the KL divergence from a prior, in nats, its mean over the items.

    Args:
        z: Draws from a posterior.
        log_density: Of the draws, under that posterior.
        prior: Of the latents.

    References:
        Rezende and Mohamed 2015, equation 15.
    """
    return (log_density - prior.log_prob(z)).mean()
