"""Scores of predictions: one row per item, sample and metric.

Every item is scored, once for each sample. A prediction whose rendering failed is scored as silence. A metric that is
undefined for a target (see `flowsynth.metrics`) has an empty value. Sounds whose parameters are unknown have no
parameter metrics.
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
from flowsynth.evaluation.score_tables import SCORE_COLUMNS, with_systems
from flowsynth.metrics import Metric, registry
from flowsynth.rendering.audio import read_checked
from flowsynth.rendering.host import Note
from flowsynth.rendering.resynthesis import require_same_plugin, resynthesise
from flowsynth.synths.spec import Synth


def score_labels(wildcards: Mapping[str, str]) -> dict[str, Any]:
    """Return the labels of a table of scores, see `score`, from the wildcards of a rule."""
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
    """Render and score the predictions of one model on one fold.

    Args:
        synth: The synthesizer.
        note: The note to render.
        predictions: File of true values and estimates, written by `flowsynth.inference.predict.infer`.
        targets: Audio files that contain the items.
        audio: Audio file to write.
        labels: Values of the columns budget, dataset, split, fold and model.
        timeout: Time limit for the rendering of a preset, in seconds.

    Returns:
        A table with the columns of `flowsynth.evaluation.score_tables.SCORE_COLUMNS`.

    Raises:
        ValueError: If another version of the synthesizer rendered the targets, or as `score` does.
    """
    counts = resynthesise(synth, note, predictions, audio, timeout)
    log.info("render %s: %s", audio, ", ".join(f"{status} {count}" for status, count in counts.items()))
    require_same_plugin(targets, audio)
    return score(targets, predictions, audio, labels)


def score(targets: Sequence[Path], predictions: Path, audio: Path, labels: dict[str, object]) -> pd.DataFrame:
    """Score all predictions of one model on one fold.

    Args:
        targets: Audio files that contain the items.
        predictions: File of true values and estimates, written by `flowsynth.inference.predict.infer`.
        audio: Renderings of the estimates, written by `flowsynth.rendering.resynthesis.resynthesise`.
        labels: Values of the columns budget, dataset, split, fold and model.

    Returns:
        A table with the columns of `flowsynth.evaluation.score_tables.SCORE_COLUMNS`.

    Raises:
        ValueError: If an item has no target, or the audio is not that of the predictions.
    """
    with hdf5.reading(predictions) as file:
        ids, names = hdf5.ids(file).tolist(), hdf5.names(file)
        truth, estimates = file["values"][:], file["estimates"][:]
    known = not np.isnan(truth).any()
    reference, sample_rate = read_checked(targets, ids, names if known else (), truth if known else truth[:, :0])

    def samples() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for sample in range(estimates.shape[1]):
            estimate, rate = read_checked([audio], [f"{i}/{sample}" for i in ids], names, estimates[:, sample])
            if rate != sample_rate:
                raise ValueError(f"{audio} has {rate} Hz, the targets have {sample_rate} Hz")
            yield estimates[:, sample], estimate

    metrics = [metric for metric in registry().values() if known or metric.domain != "parameters"]
    results = compute_metrics(metrics, truth, reference, sample_rate, samples())
    # progress is by metric and sample, as the audio metrics take the longest
    tracked = track(results, estimates.shape[1] * len(metrics), f"score {predictions.parent}")
    rows = [pd.DataFrame({"item": ids, "sample": s, "metric": name, "value": values}) for s, name, values in tracked]
    table = pd.concat(rows, ignore_index=True).assign(**labels)
    return with_systems(table)[list(SCORE_COLUMNS)]


def compute_metrics(
    metrics: Sequence[Metric],
    truth: Float[np.ndarray, "items parameters"],
    reference: Float[np.ndarray, "items samples"],
    sample_rate: int,
    predictions: Iterable[tuple[Float[np.ndarray, "items parameters"], Float[np.ndarray, "items samples"]]],
) -> Iterator[tuple[int, str, Float[np.ndarray, " items"]]]:
    """Compute metrics of predictions: all the arithmetic of scoring.

    Args:
        metrics: The metrics.
        truth: True parameters of the items, in [0, 1].
        reference: Target audio of the items, float32, full scale 1.
        sample_rate: Sample rate of all audio, in Hz.
        predictions: Predicted parameters and their audio, for each sample.

    Yields:
        Number of the sample, name of the metric, one value per item.
    """
    mel = Mel(sample_rate)  # the metrics' settings, independent of the networks' input features
    reference_mel = numpy_mel(mel, reference)
    for sample, (values, estimate) in enumerate(predictions):
        arguments = {
            "parameters": (truth, values),
            "spectral": (reference_mel, numpy_mel(mel, estimate)),
            "audio": (reference, estimate, sample_rate),
        }
        for metric in metrics:
            yield sample, metric.name, metric.function(*arguments[metric.domain])
