"""Models that can be told what their answers sounded like, and answer better: see `flowsynth.inference.surrogate_search`."""

from abc import abstractmethod

from jaxtyping import Float
from torch import Tensor

from flowsynth.models.base import Model


class Surrogate(Model):
    """A model that stands for the synthesizer, and is put right where it was wrong."""

    @abstractmethod
    def follow(
        self,
        heard: Float[Tensor, "mels frames"],
        tried: Float[Tensor, "renderings parameters"],
        sounds: Float[Tensor, "renderings mels frames"],
    ) -> Float[Tensor, " parameters"]:
        """Give the preset to render next.

        Args:
            heard: Log-mel spectrogram of the sound, not standardised.
            tried: Presets that were rendered, at least one.
            sounds: Log-mel spectrograms of what they sounded like.

        Returns:
            Parameters in [0, 1].
        """
