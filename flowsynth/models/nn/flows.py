"""Normalising flows over latents and presets, built on zuko.

A zuko `Flow` holds the map from data to noise as ``transform`` and returns a distribution for a context, one per item.
An autoregressive map takes one pass in one direction and one pass per dimension in the other. The flows here choose:

=====================  ===================  ========================  =========================================
flow                   sampling, with the   density of any point      used for
                       sample's density
=====================  ===================  ========================  =========================================
`posterior_flow`       one pass             one pass per dimension    posterior of a VAE: only samples are evaluated
`coupling_posterior`   one pass             one pass                  posterior that is evaluated at the latents of
                                                                      presets
`disentangling_flow`   one pass             one pass                  the same, with steps shared by all sounds
`RegressionFlow`       one pass             one pass                  map between latents and presets
`conditional_flow`     one pass per         one pass                  presets given a latent
                       dimension
=====================  ===================  ========================  =========================================

The flows are amortised: the parameters of a map with a context are the output of a network of that context.

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

from flowsynth.models.nn.transforms import (
    AFFINE,
    SPLINE,
    UNITS,
    SharedTransform,
    autoregressive,
    couplings,
    logit_transform,
)


def normal(mean: Tensor, std: Tensor) -> Distribution:
    """Return a normal distribution of independent dimensions, without checks: training checks the loss."""
    return Independent(Normal(mean, std, validate_args=False), 1, validate_args=False)


def standard_normal(dim: int) -> LazyDistribution:
    """Return a standard normal distribution of `dim` dimensions."""
    return UnconditionalDistribution(normal, torch.zeros(dim), torch.ones(dim), buffer=True)


class Gaussian(LazyDistribution):
    """Normal distribution whose means and standard deviations are a linear layer of the context.

    Args:
        dim: Number of dimensions.
        context: Number of features of the context.
    """

    def __init__(self, dim: int, context: int):
        super().__init__()
        self.head = nn.Linear(context, 2 * dim)

    def forward(self, c: Float[Tensor, "*items context"]) -> Distribution:
        """Return the distribution of each item."""
        mean, raw = self.head(c).chunk(2, dim=-1)
        return normal(mean, softplus(raw + log(e - 1)) + 1e-3)


def posterior_flow(dim: int, context: int, steps: int = 16) -> Flow:
    """Build an inverse autoregressive flow: a Gaussian and affine steps, all conditioned on the context.

    Samples and their density, `NormalizingFlow.rsample_and_log_prob`, take one pass through each step.

    Args:
        dim: Number of latent dimensions.
        context: Number of features of the encoder.
        steps: Number of autoregressive steps; the paper has 16.

    References:
        Kingma et al. 2016. In the published code no gradient reaches the context of the flow, so its posterior is one
        Gaussian per item under a map shared by all items; here each step is conditioned on the item.

    Examples:
        >>> flow = posterior_flow(3, context=10)
        >>> latents, log_density = flow(torch.zeros(5, 10)).rsample_and_log_prob()
        >>> latents.shape, log_density.shape
        (torch.Size([5, 3]), torch.Size([5]))
    """
    return Flow(
        LazyComposedTransform(*autoregressive(dim, context, steps, hidden_features=[UNITS], **AFFINE)).inv,
        Gaussian(dim, context),
    )


def coupling_posterior(dim: int, context: int, steps: int = 4) -> Flow:
    """Build a posterior like `posterior_flow` from couplings, so that its density is cheap at any point.

    Args:
        dim: Number of latent dimensions.
        context: Number of features of the encoder.
        steps: Number of couplings; each transforms one half of the dimensions given the other.

    References:
        Dinh et al. 2017; Durkan et al. 2019.
    """
    return Flow(couplings(dim, context, steps, hidden_features=[UNITS, UNITS], **SPLINE), Gaussian(dim, context))


def disentangling_flow(dim: int, context: int, steps: int = 4, shared: int = 4) -> Flow:
    """Build a posterior like `coupling_posterior` that ends in couplings shared by all items.

    The shared couplings can give a latent dimension the same meaning for all items.

    Args:
        dim: Number of latent dimensions.
        context: Number of features of the encoder.
        steps: Number of couplings conditioned on the context.
        shared: Number of shared couplings; the published code has 8 autoregressive steps, 4 in its first version.
    """
    unconditional = [SharedTransform(step) for step in couplings(dim, 0, shared, hidden_features=[UNITS], **AFFINE)]
    conditional = couplings(dim, context, steps, hidden_features=[UNITS, UNITS], **SPLINE)
    return Flow([*unconditional, *conditional], Gaussian(dim, context))


def conditional_flow(dim: int, context: int, steps: int = 3) -> Flow:
    """Build a density of presets given a context: an autoregressive spline flow from logits to standard normal noise.

    Args:
        dim: Number of parameters.
        context: Number of features of the context.
        steps: Number of autoregressive steps.

    Returns:
        A flow over values in [-`WIDTH` / 2, 1 + `WIDTH` / 2]. Evaluate it at dequantised values, and clamp its samples.

    References:
        Papamakarios et al. 2017; Durkan et al. 2019.

    Examples:
        >>> flow = conditional_flow(3, context=10)
        >>> flow(torch.zeros(5, 10)).log_prob(torch.full((5, 3), 0.5)).shape
        torch.Size([5])
    """
    maps = autoregressive(dim, context, steps, hidden_features=[2 * UNITS, 2 * UNITS], **SPLINE)
    return Flow([UnconditionalTransform(logit_transform), *maps], standard_normal(dim))


def sample_flow(flow: NormalizingFlow, n: int) -> Float[Tensor, "n items dim"]:
    """Sample from the distributions of several items, with the same noise for each item.

    A sample does not depend on the number of items. Samples of one item are independent of each other.

    Args:
        flow: Distributions with a normal base, one per item; or n x items, each of which is sampled once.
        n: Number of samples per item.

    Examples:
        >>> sample_flow(conditional_flow(3, context=10)(torch.zeros(5, 10)), 4).shape
        torch.Size([4, 5, 3])
    """
    mean, std = flow.base.mean, flow.base.stddev
    noise = torch.randn(n, 1, mean.shape[-1], dtype=mean.dtype).to(mean.device)  # the same on every device
    return flow.transform.inv(mean + std * noise)


def centre(flow: NormalizingFlow) -> Float[Tensor, "items dim"]:
    """Return the image of the mean of the base, a point estimate of each distribution.

    The mean of a flow has no closed form, and an estimate of it takes many samples.

    Args:
        flow: Distributions with a normal base, one per item.

    Examples:
        >>> centre(posterior_flow(3, context=10)(torch.zeros(5, 10))).shape
        torch.Size([5, 3])
    """
    return flow.transform.inv(flow.base.mean)


def monte_carlo_kl(
    z: Float[Tensor, "items dim"], log_density: Float[Tensor, " items"], prior: Distribution
) -> Float[Tensor, ""]:
    """Estimate the KL divergence of posteriors from a prior, in nats, from one sample per item; return its mean.

    Args:
        z: Samples from the posteriors.
        log_density: Log-densities of the samples under the posteriors, in nats.
        prior: Prior of the latents.

    References:
        Rezende and Mohamed 2015, equation 15.

    Examples:
        >>> z, prior = torch.zeros(5, 3), standard_normal(3)()
        >>> monte_carlo_kl(z, normal(z, torch.ones(5, 3)).log_prob(z), prior)
        tensor(0.)
    """
    return (log_density - prior.log_prob(z)).mean()
