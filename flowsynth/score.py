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

from flowsynth import store
from flowsynth.columns import COLUMNS
from flowsynth.features import Mel, numpy_mel
from flowsynth.host import Note
from flowsynth.metrics import Metric, registry
from flowsynth.progress import log, track
from flowsynth.resynthesise import require_same_plugin, resynthesise
from flowsynth.synths import Synth


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
        predictions: Truth and estimates, as made by `flowsynth.infer.infer`.
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
        predictions: Truth and estimates, as made by `flowsynth.infer.infer`.
        audio: What the estimates sound like, as made by `flowsynth.resynthesise.resynthesise`.
        labels: Values of the columns budget, dataset, split, fold and model.

    Returns:
        A table with the columns of `COLUMNS`.

    Raises:
        ValueError: If an item has no target, or the sounds are not those of the predictions.
    """
    with store.reading(predictions) as file:
        ids, names = store.ids(file).tolist(), store.names(file)
        truth, estimates = file["values"][:], file["estimates"][:]
    known = not np.isnan(truth).any()
    reference, sample_rate = sounds(targets, ids, names if known else (), truth if known else truth[:, :0])

    def answers() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for sample in range(estimates.shape[1]):
            estimate, rate = sounds([audio], [f"{i}/{sample}" for i in ids], names, estimates[:, sample])
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


def sounds(
    paths: Sequence[Path], ids: list[str], names: tuple[str, ...], values: Float[np.ndarray, "items parameters"]
) -> tuple[Float[np.ndarray, "items samples"], int]:
    """Read the sounds of items, in whatever file each is.

    They have to be made with the parameters that are given, else they are sounds of something else.

    Args:
        paths: Files of audio.
        ids: Of the items, in the order wanted.
        names: Of the columns of `values`.
        values: What the sounds are said to be made with.

    Returns:
        The sounds, float32 of full scale 1, and their sample rate in Hz.

    Raises:
        ValueError: If an item has no sound, or one that was made with other parameters.
    """
    places = {name: row for row, name in enumerate(ids)}
    found: dict[int, np.ndarray] = {}
    rates: dict[int, Path] = {}
    for path in paths:
        with store.reading(path) as file:
            rates[int(store.settings(file)["sample_rate"])] = path
            columns = [store.names(file).index(name) for name in names]
            made, status = file["values"][:][:, columns], file["status"].asstr()[:]
            rows = [(row, places[name]) for row, name in enumerate(store.ids(file)) if name in places]
            found.update((place, file["audio"][row]) for row, place in rows)
        if any(not np.array_equal(made[row], values[place]) for row, place in rows):
            raise ValueError(f"{path} holds sounds of other parameters: delete it and run again")
        failed = sum(status[row] == "failed" for row, _ in rows)
        if failed:
            log.warning("%s: %d of %d renderings failed and are scored as silence", path, failed, len(rows))
    if len(rates) > 1:
        raise ValueError(
            f"sounds of different sample rates: {', '.join(f'{path} has {r} Hz' for r, path in rates.items())}"
        )
    missing = [name for name, place in places.items() if place not in found]
    if missing:
        raise ValueError(
            f"{len(missing)} items, the first of them {missing[0]}, are in none of {list(map(str, paths))}"
        )
    return np.stack([found[place] for place in range(len(ids))]), next(iter(rates))
