"""Compare what was asked for with what the answers sound like: one row an item, sample and metric.

Every test item is scored, once for each sample. An answer whose rendering failed is scored as silence; a metric that is
not defined for a target (see `flowsynth.metrics`) leaves its value empty.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from flowsynth import store
from flowsynth.features import Mel, numpy_mel
from flowsynth.metrics import registry
from flowsynth.progress import log, track

COLUMNS = ("budget", "dataset", "split", "fold", "model", "item", "sample", "metric", "value")


def score(targets: Sequence[Path], predictions: Path, sounds: Path, labels: dict[str, object]) -> pd.DataFrame:
    """Score all answers of one model on one fold.

    Args:
        targets: Files of audio that hold the test items.
        predictions: Truth and estimates, as made by `flowsynth.infer.infer`.
        sounds: What the estimates sound like, as made by `flowsynth.resynthesise.resynthesise`.
        labels: Values of the columns budget, dataset, split, fold and model.

    Returns:
        A table with the columns of `COLUMNS`.

    Raises:
        ValueError: If an item has no target, or the sounds are not those of the predictions.
    """
    with store.reading(predictions) as file:
        ids, truth, estimates = store.ids(file).tolist(), file["values"][:], file["estimates"][:]
    reference, sample_rate = _sounds(targets, ids)
    mel = Mel(sample_rate)  # the metrics' own settings, whatever the networks hear
    reference_mel = numpy_mel(mel, reference)
    metrics = registry().values()
    rows = []
    # the metrics of sounds take the longest: progress is by metric and sample
    steps = [(sample, metric) for sample in range(estimates.shape[1]) for metric in metrics]
    for sample, metric in track(steps, len(steps), f"score {predictions.parent}"):
        if metric is steps[0][1]:  # the next sample
            estimate, rate = _sounds([sounds], [f"{i}/{sample}" for i in ids])
            if rate != sample_rate:
                raise ValueError(f"{sounds} has {rate} Hz, the targets have {sample_rate} Hz")
            compared = {
                "parameters": (truth, estimates[:, sample]),
                "spectral": (reference_mel, numpy_mel(mel, estimate)),
                "audio": (reference, estimate, sample_rate),
            }
        values = metric.function(*compared[metric.domain])
        rows.append(pd.DataFrame({"item": ids, "sample": sample, "metric": metric.name, "value": values}))
    table = pd.concat(rows, ignore_index=True).assign(**labels)
    return table[list(COLUMNS)]


def _sounds(paths: Sequence[Path], ids: list[str]) -> tuple[Float[np.ndarray, "items samples"], int]:
    """Sounds of items in the order of the ids, in whatever file each is, and their sample rate."""
    wanted = set(ids)
    found: dict[str, np.ndarray] = {}
    sample_rate = 0
    for path in paths:
        with store.reading(path) as file:
            sample_rate = int(store.settings(file)["sample_rate"])
            status = file["status"].asstr()[:]
            rows = [(row, name) for row, name in enumerate(store.ids(file)) if name in wanted]
            found.update((name, file["audio"][row]) for row, name in rows)
        failed = sum(status[row] == "failed" for row, _ in rows)
        if failed:
            log.warning("%s: %d of %d renderings failed and are scored as silence", path, failed, len(rows))
    missing = [name for name in ids if name not in found]
    if missing:
        raise ValueError(
            f"{len(missing)} items, the first of them {missing[0]}, are in none of {list(map(str, paths))}"
        )
    return np.stack([found[name] for name in ids]), sample_rate
