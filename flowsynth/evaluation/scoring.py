"""Compare what was asked for with what the answers sound like: one row an item, sample and metric.

Every item is scored, once for each sample. An answer whose rendering failed is scored as silence; a metric that is not
defined for a target (see `flowsynth.metrics`) leaves its value empty. Sounds whose parameters nobody knows have no metrics
of parameters.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from flowsynth.core import hdf5
from flowsynth.core.progress import log, track
from flowsynth.data.features import Mel, numpy_mel
from flowsynth.evaluation.columns import COLUMNS
from flowsynth.metrics import Metric, registry
from flowsynth.rendering.audio import read_checked
from flowsynth.rendering.host import Note
from flowsynth.rendering.resynthesis import require_same_plugin, resynthesise
from flowsynth.synths.spec import Synth


def labels_of(wildcards: Mapping[str, str]) -> dict[str, Any]:
    """Take the labels of a table of scores, see `score`, from the wildcards of a rule."""
    names = ("budget", "dataset", "split", "model")
    return {name: wildcards[name] for name in names} | {"fold": int(wildcards["fold"])}


def render_and_score(
    synth: Synth,
    note: Note,
    predictions: Path,
    targets: Sequence[Path],
    audio: Path,
    labels: dict[str, object],
    timeout: float,
) -> pd.DataFrame:
    """Render the predictions of one model on one fold, and score them.

    Args:
        synth: The synthesizer.
        note: What is played.
        predictions: Truth and estimates, as made by `flowsynth.inference.predict.infer`.
        targets: Files of audio that hold the items.
        audio: File of audio to write.
        labels: Values of the columns budget, dataset, split, fold and model.
        timeout: Seconds after which the rendering of a preset is given up.

    Returns:
        A table with the columns of `COLUMNS`.

    Raises:
        ValueError: If another version of the synthesizer made the targets, or as `score` does.
    """
    count = resynthesise(synth, note, predictions, audio, timeout)
    log.info("render %s: %s", audio, ", ".join(f"{key} {value}" for key, value in count.items()))
    require_same_plugin(targets, audio)
    return score(targets, predictions, audio, labels)


def score(targets: Sequence[Path], predictions: Path, audio: Path, labels: dict[str, object]) -> pd.DataFrame:
    """Score all answers of one model on one fold.

    Args:
        targets: Files of audio that hold the items.
        predictions: Truth and estimates, as made by `flowsynth.inference.predict.infer`.
        audio: What the estimates sound like, as made by `flowsynth.rendering.resynthesis.resynthesise`.
        labels: Values of the columns budget, dataset, split, fold and model.

    Returns:
        A table with the columns of `COLUMNS`.

    Raises:
        ValueError: If an item has no target, or the sounds are not those of the predictions.
    """
    with hdf5.reading(predictions) as file:
        ids, names = hdf5.ids(file).tolist(), hdf5.names(file)
        truth, estimates = file["values"][:], file["estimates"][:]
    known = not np.isnan(truth).any()
    reference, sample_rate = read_checked(targets, ids, names if known else (), truth if known else truth[:, :0])

    def answers() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for sample in range(estimates.shape[1]):
            estimate, rate = read_checked([audio], [f"{i}/{sample}" for i in ids], names, estimates[:, sample])
            if rate != sample_rate:
                raise ValueError(f"{audio} has {rate} Hz, the targets have {sample_rate} Hz")
            yield estimates[:, sample], estimate

    metrics = [metric for metric in registry().values() if known or metric.domain != "parameters"]
    measured = measure(metrics, truth, reference, sample_rate, answers())
    # the metrics of sounds take the longest: progress is by metric and sample
    tracked = track(measured, estimates.shape[1] * len(metrics), f"score {predictions.parent}")
    rows = [pd.DataFrame({"item": ids, "sample": s, "metric": name, "value": values}) for s, name, values in tracked]
    table = pd.concat(rows, ignore_index=True).assign(**labels)
    return table[list(COLUMNS)]


def measure(
    metrics: Sequence[Metric],
    truth: Float[np.ndarray, "items parameters"],
    reference: Float[np.ndarray, "items samples"],
    sample_rate: int,
    answers: Iterable[tuple[Float[np.ndarray, "items parameters"], Float[np.ndarray, "items samples"]]],
) -> Iterator[tuple[int, str, Float[np.ndarray, " items"]]]:
    """Apply metrics to answers: all the arithmetic of a score.

    Args:
        metrics: Which ones.
        truth: Parameters of the items, in [0, 1].
        reference: Sounds of the items, float32 of full scale 1.
        sample_rate: Hz, of all sounds.
        answers: Parameters and sounds of each sample.

    Yields:
        Number of the sample, name of the metric, one value an item.
    """
    mel = Mel(sample_rate)  # the metrics' own settings, whatever the networks hear
    reference_mel = numpy_mel(mel, reference)
    for sample, (values, estimate) in enumerate(answers):
        compared = {
            "parameters": (truth, values),
            "spectral": (reference_mel, numpy_mel(mel, estimate)),
            "audio": (reference, estimate, sample_rate),
        }
        for metric in metrics:
            yield sample, metric.name, metric.function(*compared[metric.domain])
