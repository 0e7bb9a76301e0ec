"""Outputs of a network that predicts parameters: a sigmoid for each scale, a softmax for each category.

References:
    Le Vaillant et al. 2021, "Improving synthesizer programming from variational autoencoders latent space": categories
        predicted by a softmax.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from flowsynth.models.nn.categories import Categories
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
        scales: Number of those of continuous and stepped parameters.
        categories: The categories among the parameters.

    Examples:
        >>> outputs = ParameterOutputs(ParameterSpace(("level", "wave"), ("continuous", "category"), (None, 3)))
        >>> outputs.raw
        4
        >>> outputs(torch.tensor([[0.0, -1.0, 0.0, 2.0]]))
        tensor([[0.5000, 1.0000]])
    """

    def __init__(self, parameters: ParameterSpace):
        super().__init__()
        self.categories = Categories(parameters)
        self.scales = len(parameters) - self.categories.number
        self.raw = self.scales + self.categories.logits

    def forward(self, raw: Float[Tensor, "*items raw"]) -> Float[Tensor, "*items parameters"]:
        """Predict parameters in [0, 1]: of a category, the value with the highest probability."""
        scales = torch.sigmoid(raw[..., : self.scales])
        if not self.categories.number:
            return scales
        indices = self.categories.log_probabilities(raw[..., self.scales :]).argmax(dim=-1)
        return self.categories.merge(scales, indices)

    def loss(self, raw: Float[Tensor, "items raw"], values: Float[Tensor, "items parameters"]) -> Float[Tensor, ""]:
        """Average over parameters: the squared error of a scale, or the weighted cross-entropy of a category.

        The cross-entropy is divided by that of equal probabilities, so that it does not depend on the number of values.
        """
        if not self.categories.number:
            return mse_loss(torch.sigmoid(raw), values)
        errors = (torch.sigmoid(raw[:, : self.scales]) - values[:, self.categories.others]).square()
        log_probabilities = self.categories.log_probabilities(raw[:, self.scales :])
        target = self.categories.indices(values)[:, :, None]
        entropy = -log_probabilities.gather(2, target)[:, :, 0] / self.categories.steps.log()
        return (errors.sum(dim=1) + CATEGORY_WEIGHT * entropy.sum(dim=1)).mean() / values.shape[1]
