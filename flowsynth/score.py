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
    reference, sample_rate = _mel(targets, ids)
    rows = []
    for sample in track(range(estimates.shape[1]), estimates.shape[1], f"score {predictions.parent}"):
        estimate, rate = _mel([sounds], [f"{i}/{sample}" for i in ids])
        if rate != sample_rate:
            raise ValueError(f"{sounds} has {rate} Hz, the targets have {sample_rate} Hz")
        pairs = {"parameters": (truth, estimates[:, sample]), "spectral": (reference, estimate)}
        for metric in registry().values():
            values = metric.function(*pairs[metric.domain])
            frame = pd.DataFrame({"item": ids, "sample": sample, "metric": metric.name, "value": values})
            rows.append(frame)
    table = pd.concat(rows, ignore_index=True).assign(**labels)
    return table[list(COLUMNS)]


def _mel(paths: Sequence[Path], ids: list[str]) -> tuple[Float[np.ndarray, "items mels frames"], int]:
    """Mel power of items, in the order of the ids, wherever they are, with the metrics' own settings."""
    wanted = {name: row for row, name in enumerate(ids)}
    found: dict[int, np.ndarray] = {}
    sample_rate = 0
    for path in paths:
        with store.reading(path) as file:
            sample_rate = store.settings(file)["sample_rate"]
            mel = Mel(sample_rate)
            failed = 0
            for row, name in enumerate(store.ids(file)):
                if name in wanted:
                    failed += file["status"].asstr()[row] == "failed"
                    found[wanted[name]] = numpy_mel(mel, file["audio"][row : row + 1])[0]
            if failed:
                log.warning("%s: %d of %d renderings failed and are scored as silence", path, failed, len(ids))
    missing = [name for name, row in wanted.items() if row not in found]
    if missing:
        raise ValueError(f"{len(missing)} items, the first of them {missing[0]}, are in none of {list(map(str, paths))}")
    return np.stack([found[row] for row in range(len(ids))]), sample_rate
