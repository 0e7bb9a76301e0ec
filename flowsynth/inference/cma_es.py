"""Search with CMA-ES, a control: how close search alone can bring the synthesizer to a sound.

CMA-ES starts at a prediction, such as the nearest training preset, and renders every candidate; the distance is log-mel L1.
Each sound is searched separately, with a seed derived from its id.

References:
    Hansen, "The CMA evolution strategy: a tutorial", 2016, arXiv 1604.00772.
    Ros, Hansen, "A simple modification in CMA-ES achieving linear time and space complexity", PPSN 2008: the diagonal of
    the covariance alone, which is learnt in fewer calls.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cma
import numpy as np

from flowsynth.core.progress import log
from flowsynth.core.result_cache import ResultCache
from flowsynth.core.seeding import derive_seed
from flowsynth.inference.search_task import LogMel, RenderContext, SearchTask, Values

INITIAL_STD = 0.05  # standard deviation of the first generation, for parameters in [0, 1]
START_MARGIN = 0.01  # minimum distance of the first mean from 0 and 1


def minimise(loss: Callable[[Values], float], start: Values, calls: int, seed: int) -> tuple[Values, float]:
    """Minimise a function in the unit cube.

    Args:
        loss: Function to minimise.
        start: Start, evaluated first.
        calls: Maximum number of evaluations of `loss`.
        seed: Seed of the generations.

    Returns:
        The best values evaluated and their loss, which is never greater than that of `start`.

    Examples:
        >>> values, loss = minimise(lambda values: float(values.sum()), np.array([0.5, 0.5], np.float32), 50, seed=1)
        >>> loss < 1
        True
    """
    rng = np.random.default_rng(seed)
    options = {"bounds": [0, 1], "CMA_diagonal": True, "verbose": -9}
    # by default cma draws from numpy's global generator
    random_options = {"seed": np.nan, "randn": lambda *shape: rng.standard_normal(shape)}
    mean = np.clip(start, START_MARGIN, 1 - START_MARGIN).astype(float)
    strategy = cma.CMAEvolutionStrategy(mean, INITIAL_STD, options | random_options)
    best, least, left = start, loss(start), calls - 1
    while left > 0:
        candidates = strategy.ask()[:left]  # an incomplete last generation does not update the strategy
        losses = [loss(values.astype(np.float32)) for values in candidates]
        if len(candidates) == strategy.popsize:
            strategy.tell(candidates, losses)
        left -= len(candidates)
        if min(losses) < least:
            least = min(losses)
            best = candidates[int(np.argmin(losses))].astype(np.float32)
    return best, least


def search(
    context: RenderContext,
    starts: Path,
    targets: Sequence[Path],
    ids: Sequence[str],
    renders: int,
    seed: int,
    path: Path,
) -> None:
    """Search for the parameters of sounds and write one estimate each, as `flowsynth.inference.predict.infer` does.

    An interrupted search resumes after the last completed sound and writes the same file.

    Args:
        context: How candidates are rendered and analysed.
        starts: Predictions, of which the first sample is the start.
        targets: Audio files that contain the sounds.
        ids: Ids of the sounds.
        renders: Renderings per sound.
        seed: Seed of the search.
        path: Path of the file to write.

    Raises:
        ValueError: If a sound is in none of the audio files, or not in `starts`.
    """
    task = SearchTask(context, starts, targets, ids, samples=1)
    settings = {"renders": renders, "seed": seed, "spread": INITIAL_STD, **context.features}
    cache = ResultCache(path, [], [Path(__file__)], **settings)

    def search_item(name: str, target: LogMel, predictions: np.ndarray) -> Values:
        distance = partial(task.distance, target)
        values, least = minimise(distance, predictions[0], renders, derive_seed(seed, "search", name))
        log.info("search: %s at log-mel L1 %.3f", name, least)
        return values

    task.write(path, task.solve(f"search {path.parent}", search_item, cache), settings)
    cache.remove()
