"""The paper's disentangling flow: the regression flow with one dimension of its latent given to a semantic pair.

Sounds that are tagged with one of the two words (`flowsynth.data.semantics`) get another prior: on the first dimension it is
N(1, 0.5^2) for the first word and N(-1, 0.5^2) for the second instead of N(0, 1). The posterior ends in a flow that is
common to all sounds and can turn the latent space so that this dimension is where they differ. Decoder and map to presets
take what comes out of it, so that to move along the dimension is to move between the two words.

Tags are computed from the sounds that a training hears. They are used in the loss alone: to answer, nothing is known of a
sound but its spectrogram.

References:
    Esling et al. 2019, 2020: one pair a model, means of -1 and 1 (here the first word has the 1). The published code adds its
    penalty for tagged items up over all pairs of items in a batch, times 10, so that it grows with the batch; here it is a
    mean over items. A weight of 10 hardly parts the words within the epochs of the small budget.
"""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from zuko.lazy import Flow

from flowsynth.data.dataset import Batch
from flowsynth.data.semantics import SEMANTIC_PAIRS
from flowsynth.models.autoencoders.flow_reg import FlowReg
from flowsynth.models.nn.flows import disentangling_flow, kl_by_draws, normal
from flowsynth.models.nn.networks import Size

SPREAD = 0.5  # standard deviation of a word's prior: two of them from the middle
WEIGHT = 50.0  # of the first dimension's likelihood, beside the divergence: about what one parameter has


class FlowDis(FlowReg):
    """A regression flow in whose latent the first dimension goes from dark, -1, to bright, 1.

    Attributes:
        pair: Name of the semantic pair.
    """

    capturable = False  # which sounds are tagged is asked on the host
    pair: ClassVar[str] = "bright_dark"
    thresholds: Tensor

    def __init__(self, mels: int, frames: int, parameters: int, size: Size):
        super().__init__(mels, frames, parameters, size)
        self.register_buffer("thresholds", torch.zeros(2))

    def make_flow(self) -> Flow:
        """Make the posterior, a distribution for the encoder's features."""
        return disentangling_flow(self.latent, self.encoder.features)

    def calibrate(self, train: Batch) -> None:
        """Take the limits of the two words from the training part too."""
        super().calibrate(train)
        self.thresholds.copy_(SEMANTIC_PAIRS[self.pair].thresholds(train.mel))

    def divergence(
        self,
        z: Float[Tensor, "items latent"],
        log_density: Float[Tensor, " items"],
        mel: Float[Tensor, "items mels frames"],
    ) -> Tensor:
        """Give the latent term, of which the prior is the one of each sound's tag, and the tags' own term."""
        mean, std = torch.zeros_like(z), torch.ones_like(z)
        mean[:, 0] = SEMANTIC_PAIRS[self.pair].tags(mel, self.thresholds)
        std[:, 0] = torch.where(mean[:, 0] == 0, 1.0, SPREAD)
        divergence = kl_by_draws(z, log_density, normal(mean, std))
        tagged = mean[:, 0] != 0
        if not tagged.any():
            return divergence
        semantic = -normal(mean[tagged, :1], std[tagged, :1]).log_prob(z[tagged, :1])
        return divergence + WEIGHT * semantic.sum() / len(z)
