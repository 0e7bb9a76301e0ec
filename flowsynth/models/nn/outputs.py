"""Outputs of a network that predicts parameters: a sigmoid for each scale, a softmax for each category.

References:
    Le Vaillant et al. 2021, "Improving synthesizer programming from variational autoencoders latent space": categories
        predicted by a softmax.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from flowsynth.synths.parameter_space import ParameterSpace

# Weight of the cross-entropy of a category, relative to the squared error of a scale. With 0.02, 0.1 and 0.5, the distances
# of validation sounds of dexed16 and dexed145 do not clearly differ.
CATEGORY_WEIGHT = 0.1


class ParameterOutputs(nn.Module):
    """Maps the raw outputs of a network to parameters, and compares them with true parameters.

    The raw outputs are one number for each continuous or stepped parameter, and then as many for each category as it
    has values.

    Args:
        parameters: Parameters to predict.

    Attributes:
        raw: Number of raw outputs.

    Examples:
        >>> outputs = ParameterOutputs(ParameterSpace(("level", "wave"), ("continuous", "category"), (None, 3)))
        >>> outputs.raw
        4
        >>> outputs(torch.tensor([[0.0, -1.0, 0.0, 2.0]]))
        tensor([[0.5000, 1.0000]])
    """

    scales: Tensor
    categories: Tensor
    steps: Tensor
    logits: Tensor
    padding: Tensor
    order: Tensor

    def __init__(self, parameters: ParameterSpace):
        super().__init__()
        categories = [column for column, kind in enumerate(parameters.kinds) if kind == "category"]
        scales = [column for column, kind in enumerate(parameters.kinds) if kind != "category"]
        steps = [parameters.steps[column] or 1 for column in categories]
        self.raw = len(scales) + sum(steps)
        self.has_categories = bool(categories)
        # positions of the logits of each category, padded to the largest number of steps
        logits = torch.zeros(len(categories), max(steps, default=1), dtype=torch.long)
        start = len(scales)
        for row, count in enumerate(steps):
            logits[row, :count] = torch.arange(start, start + count)
            start += count
        buffers = {
            "scales": torch.tensor(scales, dtype=torch.long),
            "categories": torch.tensor(categories, dtype=torch.long),
            "steps": torch.tensor(steps, dtype=torch.long),
            "logits": logits,
            "padding": torch.arange(logits.shape[1]) >= torch.tensor(steps, dtype=torch.long)[:, None],
            "order": torch.tensor([*scales, *categories]).argsort(),
        }
        for name, buffer in buffers.items():
            self.register_buffer(name, buffer, persistent=False)

    def forward(self, raw: Float[Tensor, "*items raw"]) -> Float[Tensor, "*items parameters"]:
        """Predict parameters in [0, 1]: of a category, the value with the highest probability."""
        if not self.has_categories:
            return torch.sigmoid(raw)
        values = self._log_probabilities(raw).argmax(dim=-1) / (self.steps - 1)
        scales = torch.sigmoid(raw[..., : len(self.scales)])
        return torch.cat([scales, values.to(scales)], dim=-1)[..., self.order]

    def loss(self, raw: Float[Tensor, "items raw"], values: Float[Tensor, "items parameters"]) -> Float[Tensor, ""]:
        """Average over parameters: the squared error of a scale, or the weighted cross-entropy of a category.

        The cross-entropy is divided by that of equal probabilities, so that it does not depend on the number of values.
        """
        if not self.has_categories:
            return mse_loss(torch.sigmoid(raw), values)
        errors = (torch.sigmoid(raw[:, : len(self.scales)]) - values[:, self.scales]).square()
        target = (values[:, self.categories] * (self.steps - 1)).round().long()
        entropy = -self._log_probabilities(raw).gather(2, target[:, :, None])[:, :, 0] / self.steps.log()
        return (errors.sum(dim=1) + CATEGORY_WEIGHT * entropy.sum(dim=1)).mean() / values.shape[1]

    def _log_probabilities(self, raw: Float[Tensor, "*items raw"]) -> Float[Tensor, "*items categories steps"]:
        return raw[..., self.logits].masked_fill(self.padding, -math.inf).log_softmax(dim=-1)
