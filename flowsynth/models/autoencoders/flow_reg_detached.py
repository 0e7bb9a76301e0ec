"""Regression flow whose posterior is not trained by the reconstruction, to show what that does to its draws.

References:
    Esling et al. 2019; van den Oord et al. 2017, "Neural discrete representation learning": the stop-gradient operator.
"""

from typing import ClassVar

from flowsynth.models.autoencoders.flow_reg import FlowReg


class FlowRegDetached(FlowReg):
    """FlowReg whose decoder learns from the latents of the posterior without moving them."""

    detached: ClassVar[bool] = True
