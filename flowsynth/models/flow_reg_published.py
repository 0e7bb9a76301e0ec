"""The regression flow with the objective of its published code, to be compared with FlowReg's likelihood.

References:
    Esling et al. 2019.
"""

from typing import ClassVar, Literal

from flowsynth.models.flow_reg import FlowReg


class FlowRegPublished(FlowReg):
    """The networks of FlowReg, trained as a regression to the point that a drawn latent is mapped to."""

    objective: ClassVar[Literal["likelihood", "published"]] = "published"
