"""The regression flow with the objective of its published code, to be compared with FlowReg's likelihood.

References:
    Esling et al. 2019.
"""

from typing import ClassVar, Literal

from flowsynth.models.autoencoders.flow_reg import FlowReg


class FlowRegPublished(FlowReg):
    """The networks of FlowReg, trained as a regression to the point that a drawn latent is mapped to."""

    full_gamma: ClassVar[float] = 100.0  # a tenth of what the code gives to a perceptron
    objective: ClassVar[Literal["likelihood", "published"]] = "published"
