"""Categories of a preset as outputs of a network: one logit for each value of each category."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from flowsynth.synths.parameter_space import ParameterSpace


class Categories(nn.Module):
    """The categories among the parameters, and the layout of their logits: those of the first, of the second, ...

    Args:
        parameters: Parameters to predict.

    Attributes:
        number: Number of categories.
        logits: Number of logits: the sum of the numbers of values.
        columns: Their columns among the parameters.
        others: Columns of all other parameters.
        steps: Number of values of each category.

    Examples:
        >>> categories = Categories(ParameterSpace(("level", "wave"), ("continuous", "category"), (None, 3)))
        >>> categories.number, categories.logits
        (1, 3)
        >>> presets = torch.tensor([[0.2, 0.5], [0.7, 1.0]])
        >>> categories.indices(presets)
        tensor([[1],
                [2]])
        >>> categories.one_hot(categories.indices(presets))
        tensor([[0., 1., 0.],
                [0., 0., 1.]])
        >>> categories.merge(presets[:, :1], categories.indices(presets))
        tensor([[0.2000, 0.5000],
                [0.7000, 1.0000]])
    """

    columns: Tensor
    others: Tensor
    steps: Tensor
    order: Tensor
    starts: Tensor
    positions: Tensor
    padding: Tensor

    def __init__(self, parameters: ParameterSpace):
        super().__init__()
        columns = [column for column, kind in enumerate(parameters.kinds) if kind == "category"]
        others = [column for column, kind in enumerate(parameters.kinds) if kind != "category"]
        steps = torch.tensor([parameters.steps[column] or 1 for column in columns], dtype=torch.long)
        self.number, self.logits = len(columns), int(steps.sum())
        starts = steps.cumsum(dim=0) - steps
        longest = torch.arange(max(steps.tolist(), default=1))
        buffers = {
            "columns": torch.tensor(columns, dtype=torch.long),
            "others": torch.tensor(others, dtype=torch.long),
            "steps": steps,
            "order": torch.tensor([*others, *columns]).argsort(),
            "starts": starts,
            # of the logits of each category, padded to the largest number of values
            "positions": torch.minimum(starts[:, None] + longest, (starts + steps - 1)[:, None]),
            "padding": longest >= steps[:, None],
        }
        for name, buffer in buffers.items():
            self.register_buffer(name, buffer, persistent=False)

    def indices(self, values: Float[Tensor, "*items parameters"]) -> Int[Tensor, "*items categories"]:
        """Return the index of the value of each category, from 0."""
        return (values[..., self.columns] * (self.steps - 1)).round().long()

    def one_hot(self, indices: Int[Tensor, "*items categories"]) -> Float[Tensor, "*items logits"]:
        """Return vectors that are 1 where a category has that value, in the layout of the logits."""
        vectors = torch.zeros(*indices.shape[:-1], self.logits, device=indices.device)
        return vectors.scatter(-1, self.starts + indices, 1.0)

    def log_probabilities(self, logits: Float[Tensor, "*items logits"]) -> Float[Tensor, "*items categories values"]:
        """Normalise the logits of each category; values that a category lacks have a probability of zero."""
        return logits[..., self.positions].masked_fill(self.padding, -math.inf).log_softmax(dim=-1)

    def merge(
        self, others: Float[Tensor, "*items others"], indices: Int[Tensor, "*items categories"]
    ) -> Float[Tensor, "*items parameters"]:
        """Join the other parameters with the values of the categories, in the order of the parameters."""
        return torch.cat([others, (indices / (self.steps - 1)).to(others)], dim=-1)[..., self.order]
