"""Base class of surrogates, which `flowsynth.inference.surrogate_search` corrects by the sounds of rendered presets."""

from abc import abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from flowsynth.models.base import Model


class Surrogate(Model):
    """Model that approximates the synthesizer and can be corrected where its predictions were wrong."""

    kind: ClassVar[str] = "surrogates"

    @abstractmethod
    def predict_mel(self, values: Float[Tensor, "items parameters"]) -> Float[Tensor, "items mels frames"]:
        """Predict the log-mel spectrograms of presets, not standardised."""

    @abstractmethod
    def descend(
        self, target: Float[Tensor, "mels frames"], starts: Float[Tensor, "starts parameters"], n: int
    ) -> Float[Tensor, "n parameters"]:
        """Optimise presets from given starts and from the training presets, by their predicted sounds.

        Args:
            target: Log-mel spectrogram of the target, not standardised.
            starts: Presets to start from.
            n: Number of presets to return.

        Returns:
            The presets whose predicted sounds are the closest to the target, closest first.
        """

    @abstractmethod
    def propose_next(
        self,
        target: Float[Tensor, "mels frames"],
        presets: Float[Tensor, "renderings parameters"],
        renderings: Float[Tensor, "renderings mels frames"],
    ) -> Float[Tensor, " parameters"]:
        """Propose the preset to render next.

        Args:
            target: Log-mel spectrogram of the target, not standardised.
            presets: Presets that were rendered, at least one.
            renderings: Log-mel spectrograms of their sounds.

        Returns:
            Parameters in [0, 1].
        """
