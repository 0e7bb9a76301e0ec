"""Control: the true parameters. Its errors are those of the rest of the pipeline, which must be zero."""

from jaxtyping import Float
from torch import Tensor

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Control


class Oracle(Control):
    """Returns the true parameters, which no other model receives."""

    def fit(self, train: Batch) -> None:
        """Do nothing."""

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Raise an error: the oracle cannot predict from sounds."""
        raise TypeError("the oracle does not predict from sounds, use `infer_from_truth`")

    def infer_from_truth(self, truth: Float[Tensor, "items parameters"], n: int) -> Float[Tensor, "n items parameters"]:
        """Repeat the true parameters `n` times."""
        return truth.expand(n, *truth.shape)
