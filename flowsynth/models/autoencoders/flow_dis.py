"""Disentangling flow of the paper: the regression flow with the first latent dimension assigned to a semantic pair.

Sounds tagged with one of the two words (`flowsynth.data.semantics`) have another prior: on the first dimension it is
N(1, 0.5^2) for the first word and N(-1, 0.5^2) for the second, instead of N(0, 1). The posterior ends in a flow shared
by all sounds, which can align the difference between the words with this dimension. The decoder and the map to presets
use the output of this flow, so that a traversal of the dimension goes from one word to the other.

Tags are computed from the training sounds and used only in the loss. A prediction depends only on the spectrogram.

References:
    Esling et al. 2019, 2020: one pair per model, with means of -1 and 1 (here the first word has the 1). The published
    code sums its penalty for tagged items over all pairs of items in a batch and multiplies it by 10, so that it grows
    with the batch; here it is a mean over items. With a weight of 10 the words are hardly separated within the epochs
    of the small budget.
"""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from zuko.lazy import Flow

from flowsynth.data.dataset import Batch
from flowsynth.data.semantics import SEMANTIC_PAIRS
from flowsynth.models.autoencoders.flow_reg import FlowReg
from flowsynth.models.nn.flows import disentangling_flow, monte_carlo_kl, normal
from flowsynth.models.nn.networks import Size
from flowsynth.synths.parameter_space import ParameterSpace

WORD_STD = 0.5  # standard deviation of the prior of a word, half the distance of its mean from 0
WEIGHT = 50.0  # weight of the likelihood of the first dimension: about that of one parameter


class FlowDis(FlowReg):
    """Regression flow whose first latent dimension goes from dark, -1, to bright, 1.

    Attributes:
        pair: Name of the semantic pair.
    """

    capturable = False  # the loss reads the tags on the host
    pair: ClassVar[str] = "bright_dark"
    thresholds: Tensor

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.register_buffer("thresholds", torch.zeros(2))

    def make_flow(self) -> Flow:
        """Build the posterior, a distribution given the features of the encoder."""
        return disentangling_flow(self.latent, self.encoder.features)

    def calibrate(self, train: Batch) -> None:
        """Also compute the thresholds of the two words from the training set."""
        super().calibrate(train)
        self.thresholds.copy_(SEMANTIC_PAIRS[self.pair].thresholds(train.mel))

    def divergence(
        self,
        z: Float[Tensor, "items latent"],
        log_density: Float[Tensor, " items"],
        mel: Float[Tensor, "items mels frames"],
    ) -> Tensor:
        """Compute the latent term with the prior of the tag of each sound, plus the semantic term."""
        mean, std = torch.zeros_like(z), torch.ones_like(z)
        mean[:, 0] = SEMANTIC_PAIRS[self.pair].tags(mel, self.thresholds)
        std[:, 0] = torch.where(mean[:, 0] == 0, 1.0, WORD_STD)
        divergence = monte_carlo_kl(z, log_density, normal(mean, std))
        tagged = mean[:, 0] != 0
        if not tagged.any():
            return divergence
        semantic = -normal(mean[tagged, :1], std[tagged, :1]).log_prob(z[tagged, :1])
        return divergence + WEIGHT * semantic.sum() / len(z)
