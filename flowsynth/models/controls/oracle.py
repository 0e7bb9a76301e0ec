"""Control: the true parameters. Its errors are those of the rest of the pipeline, and must be zero."""

from jaxtyping import Float
from torch import Tensor

from flowsynth.data.dataset import Batch
from flowsynth.models.base import Control


class Oracle(Control):
    """Answers with the true parameters, which no other model is given."""

    def fit(self, train: Batch) -> None:
        """Need nothing."""

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Refuse: without the truth it knows nothing."""
        raise TypeError("the oracle answers by `reveal`, from the truth")

    def reveal(self, truth: Float[Tensor, "items parameters"], n: int) -> Float[Tensor, "n items parameters"]:
        """Give back the truth `n` times."""
        return truth.expand(n, *truth.shape)
