"""Probability of the categories of a preset, the factor of a density before that of all other parameters.

References:
    Bengio and Bengio 2000, "Modeling high-dimensional discrete data with multi-layer neural networks".
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from zuko.nn import MaskedLinear

from flowsynth.models.nn.categories import Categories
from flowsynth.models.nn.transforms import UNITS


class CategoricalFactor(nn.Module):
    """Probability of the categories of a preset for a context, each given those before it.

    The logits are a network of the context, and a linear function of the values of the categories before.

    Args:
        categories: The categories, at least one.
        context: Number of features of the context.

    Examples:
        >>> from flowsynth.synths.parameter_space import ParameterSpace
        >>> categories = Categories(ParameterSpace(("wave", "mode"), ("category", "category"), (3, 2)))
        >>> factor = CategoricalFactor(categories, context=10)
        >>> indices = factor.sample(torch.zeros(5, 10), 4)
        >>> indices.shape, factor.log_probability(torch.zeros(4, 5, 10), indices).shape
        (torch.Size([4, 5, 2]), torch.Size([4, 5]))
    """

    def __init__(self, categories: Categories, context: int):
        super().__init__()
        self.categories = categories
        self.network = nn.Sequential(nn.Linear(context, 2 * UNITS), nn.ELU(), nn.Linear(2 * UNITS, categories.logits))
        group = torch.repeat_interleave(torch.arange(categories.number), categories.steps)
        self.before = MaskedLinear(group[None, :] < group[:, None], bias=False) if categories.number > 1 else None

    def log_probability(
        self, context: Float[Tensor, "*items features"], indices: Int[Tensor, "*items categories"]
    ) -> Float[Tensor, "*items"]:
        """Compute the log-probability of all categories together, in nats."""
        logits = self._logits(self.network(context), self.categories.one_hot(indices))
        return self.categories.log_probabilities(logits).gather(-1, indices[..., None]).sum(dim=(-1, -2))

    def sample(self, context: Float[Tensor, "items features"], n: int) -> Int[Tensor, "n items categories"]:
        """Sample `n` times per item, with the same random numbers for each item."""
        count = self.categories.number
        uniform = torch.rand(n, 1, count).to(context.device)  # the same on every device
        logits = self.network(context).expand(n, -1, -1)
        indices = torch.zeros(*logits.shape[:2], count, dtype=torch.long, device=context.device)
        for category in range(count):
            conditioned = self._logits(logits, self.categories.one_hot(indices))
            cumulative = self.categories.log_probabilities(conditioned)[..., category, :].exp().cumsum(dim=-1)
            index = (cumulative < uniform[..., category, None]).sum(dim=-1)
            indices[..., category] = torch.minimum(index, self.categories.steps[category] - 1)
        return indices

    def _logits(
        self, logits: Float[Tensor, "*items logits"], one_hot: Float[Tensor, "*items logits"]
    ) -> Float[Tensor, "*items logits"]:
        return logits if self.before is None else logits + self.before(one_hot)
