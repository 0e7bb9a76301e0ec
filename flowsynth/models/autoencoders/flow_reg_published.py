"""Regression flow with the objective of the published code, to compare with the likelihood of FlowReg.

References:
    Esling et al. 2019.
"""

from typing import ClassVar, Literal

from flowsynth.models.autoencoders.flow_reg import FlowReg


class FlowRegPublished(FlowReg):
    """FlowReg trained as a regression to the preset of a sampled latent."""

    full_gamma: ClassVar[float] = 100.0  # a tenth of the weight for a perceptron, as in the published code
    objective: ClassVar[Literal["likelihood", "published"]] = "published"
