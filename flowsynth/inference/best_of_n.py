"""Best of N: render several predictions per item and keep the one whose sound is closest to the target."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from flowsynth.inference.search_task import LogMel, RenderContext, SearchTask


def select_best(
    context: RenderContext, candidates: Path, targets: Sequence[Path], path: Path
) -> Float[np.ndarray, "items samples"]:
    """Write the closest candidate per item, in the format of `flowsynth.inference.predict.infer`, with the distances of all.

    The file contains ``values`` (ground truth), ``estimates`` (items x 1 x parameters), ``distances`` (items x samples, in
    the order of the candidates) and ``chosen`` (index of the closest).

    Args:
        context: How candidates are rendered and analysed.
        candidates: Several predictions per item, as written by `flowsynth.inference.predict.infer`.
        targets: Audio files that contain the items.
        path: Path of the file to write.

    Returns:
        Log-mel L1 of each candidate.

    Raises:
        ValueError: If an item is in none of the audio files, or all candidates of each item are equal: the model is
            deterministic.
    """
    task = SearchTask(context, candidates, targets)
    estimates = task.predictions
    samples = estimates.shape[1]
    if (estimates == estimates[:, :1]).all():
        raise ValueError(
            f"{candidates}: all {samples} predictions of each item are equal; use the model without best-of-N, "
            "or a model that samples its predictions"
        )

    def candidate_distances(name: str, target: LogMel, predictions: np.ndarray) -> Float[np.ndarray, " samples"]:
        return np.array([task.distance(target, values) for values in predictions], dtype=np.float32)

    distances = task.solve(f"best {path.parent}", candidate_distances)
    chosen = distances.argmin(axis=1)
    settings = {"candidates": str(candidates), "samples": samples, **context.features}
    task.write(path, estimates[np.arange(len(estimates)), chosen], settings, distances=distances, chosen=chosen)
    return distances
