"""Surrogate-guided refinement: rendered candidates correct the errors of a surrogate of the synthesizer.

The first candidates are rendered: predictions of a `flowsynth.models.surrogates.base.Surrogate`, or the closest presets after
its descent from draws of another model. The surrogate then proposes one candidate at a time, given the renderings of all
previous ones. The candidate with the lowest log-mel L1 to the target is kept.
"""

from collections.abc import Callable, Sequence
from inspect import getfile
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from flowsynth.core.progress import log
from flowsynth.core.result_cache import ResultCache
from flowsynth.data.distances import log_mel_distances
from flowsynth.inference.predict import check_predictions
from flowsynth.inference.search_task import LogMel, RenderContext, SearchTask, Values
from flowsynth.models.surrogates.base import Surrogate
from flowsynth.training.accelerator import select_device
from flowsynth.training.checkpoints import load


def refine(
    model: Surrogate,
    target: LogMel,
    candidates: Float[np.ndarray, "candidates parameters"],
    render: Callable[[Values], LogMel],
    renders: int,
) -> tuple[Values, Float[np.ndarray, " renders"]]:
    """Search for the preset of a sound.

    Args:
        model: Surrogate.
        target: Log-mel spectrogram of the sound.
        candidates: Presets to begin with, at most `renders`.
        render: Maps a preset to the log-mel spectrogram of its rendering.
        renders: Number of presets to render.

    Returns:
        The preset closest to the target, and the log-mel L1 of all presets in the order of rendering.

    Raises:
        ValueError: If the model proposes values outside [0, 1], or of another shape.
    """
    target_mel, *presets = (torch.from_numpy(values).to(model.mel_mean) for values in (target, *candidates))
    renderings = [torch.from_numpy(render(values)).to(target_mel) for values in candidates]
    while len(presets) < renders:
        with torch.no_grad():
            proposal = model.propose_next(target_mel, torch.stack(presets), torch.stack(renderings))
        if proposal.shape != presets[0].shape or not ((proposal >= 0) & (proposal <= 1)).all():
            raise ValueError(
                f"{type(model).__name__} proposes {proposal.tolist()}, expected {len(presets[0])} values in 0..1"
            )
        presets.append(proposal)
        renderings.append(torch.from_numpy(render(proposal.cpu().numpy())).to(target_mel))
    distances = log_mel_distances(torch.stack(renderings), target_mel).cpu().numpy()
    return presets[int(distances.argmin())].cpu().numpy(), distances


def correct(
    context: RenderContext,
    checkpoint: Path,
    candidates: Path,
    targets: Sequence[Path],
    renders: int,
    path: Path,
    accelerator: str = "cpu",
    descents: int = 0,
) -> None:
    """Refine predictions with a surrogate and write one estimate per item, as `flowsynth.inference.predict.infer` does.

    Each item is refined separately. An interrupted job resumes after the last completed item and writes the same file.

    Args:
        context: How candidates are rendered and analysed.
        checkpoint: Checkpoint of the surrogate.
        candidates: First predictions, as written by `flowsynth.inference.predict.infer`.
        targets: Audio files that contain the items.
        renders: Renderings per item.
        path: Path of the file to write.
        accelerator: Device of the model: ``cpu``, ``gpu`` or ``auto``.
        descents: Number of presets that are rendered first: the closest after a descent of the surrogate from the
            candidates. With 0, these are the candidates themselves, at most `renders` per item.

    Raises:
        ValueError: If an item is in none of the audio files, or the model is not a surrogate.
    """
    model = load(checkpoint).model
    if not isinstance(model, Surrogate):
        raise ValueError(f"{checkpoint}: {type(model).__name__} is not a surrogate, expected a subclass of Surrogate")
    model.to(select_device(accelerator))
    task = SearchTask(context, candidates, targets)
    settings = {"checkpoint": str(checkpoint), "renders": renders, "descents": descents, **context.features}
    code = [Path(__file__), Path(getfile(type(model)))]
    cache = ResultCache(path, [checkpoint], code, accelerator=accelerator, **settings)

    def refine_item(name: str, target: LogMel, predictions: np.ndarray) -> Values:
        if descents:
            mel, starts = (torch.from_numpy(values).to(model.mel_mean) for values in (target, predictions))
            with torch.no_grad():
                predictions = model.descend(mel, starts, descents).cpu().numpy()
            check_predictions(predictions, (descents, starts.shape[1]), type(model).__name__)
        values, distances = refine(model, target, predictions, task.log_mel, renders)
        log.info("corrected: %s from log-mel L1 %.3f to %.3f", name, distances[0], distances.min())
        return values

    task.write(path, task.solve(f"corrected {path.parent}", refine_item, cache), settings)
    cache.remove()
