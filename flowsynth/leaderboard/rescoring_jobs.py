"""Rendering and scoring of frozen predictions in parallel, one plugin per process, with a cache per item."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from flowsynth.core.code_digest import digest
from flowsynth.core.provenance import versions, write_text
from flowsynth.evaluation.scoring import compute_metrics
from flowsynth.evaluation.scoring_fingerprint import fingerprint
from flowsynth.metrics import registry
from flowsynth.rendering.host import Note
from flowsynth.rendering.host import fingerprint as plugin_fingerprint
from flowsynth.rendering.render import Renderer
from flowsynth.synths.spec import FOLDER, dataset

BATCH = 8  # predictions scored at once

Scores = dict[str, float]  # by metric


@dataclass(frozen=True)
class Task:
    """An item to render and score.

    Attributes:
        cache_file: File of its cached scores.
        dataset: Name of the data set.
        render: Arguments of `Note`, and ``timeout`` in seconds.
        predictions: Distinct predictions, each as the bytes of its float32 values; the first is the ground truth.
    """

    cache_file: Path
    dataset: str
    render: Mapping[str, Any]
    predictions: tuple[bytes, ...]


def pool(jobs: int) -> Executor:
    """Create processes for `score_item` and `hash_sound`, one core each; a single job runs in this process."""
    if jobs == 1:
        torch.set_num_threads(1)
        return ThreadPoolExecutor(1)
    return ProcessPoolExecutor(jobs, get_context("spawn"), torch.set_num_threads, (1,))


def score_item(task: Task) -> dict[bytes, Scores]:
    """Score the sound of each prediction, using cached scores of the same code, plugin and packages.

    Returns:
        Scores by prediction.

    Raises:
        FileNotFoundError: If the plugin is missing.
        ValueError: If it is another plugin.
    """
    key = _cache_key(task.dataset, json.dumps(dict(task.render))) | {"truth": task.predictions[0].hex()}
    scores: dict[str, Scores] = {}
    if task.cache_file.exists():
        cached = json.loads(task.cache_file.read_text(encoding="utf-8"))
        scores = cached["scores"] if cached["key"] == key else {}
    missing = [prediction for prediction in task.predictions if prediction.hex() not in scores]
    if missing:
        scores |= dict(zip((prediction.hex() for prediction in missing), _measure_sounds(task, missing), strict=True))
        write_text(task.cache_file, json.dumps({"key": key, "scores": scores}))
    return {prediction: scores[prediction.hex()] for prediction in task.predictions}


def hash_sound(task: tuple[str, Mapping[str, Any], Float[np.ndarray, " parameters"]]) -> str:
    """Hash the sound of a preset: name of the data set, arguments of `Note` with ``timeout``, all parameter values."""
    name, render, values = task
    return hashlib.sha256(_player(name, json.dumps(dict(render)))(values).audio.tobytes()).hexdigest()


def _measure_sounds(task: Task, predictions: Sequence[bytes]) -> Iterator[Scores]:
    (synth, names), play = dataset(task.dataset), _player(task.dataset, json.dumps(dict(task.render)))
    metrics = [metric for metric in registry().values() if metric.domain != "parameters"]
    vectors = np.stack([np.frombuffer(prediction, np.float32) for prediction in (task.predictions[0], *predictions)])
    target, *sounds = (play(vector).audio for vector in synth.expand(vectors, names))
    for start in range(0, len(sounds), BATCH):
        estimate, values = np.stack(sounds[start : start + BATCH]), vectors[1 + start : 1 + start + BATCH]
        truth, reference = (np.tile(array, (len(estimate), 1)) for array in (vectors[0], target))
        measured = compute_metrics(metrics, truth, reference, task.render["sample_rate"], [(values, estimate)])
        by_metric = {metric: scores.tolist() for _, metric, scores in measured}
        yield from (dict(zip(by_metric, row, strict=True)) for row in zip(*by_metric.values(), strict=True))


@cache
def _player(name: str, render: str) -> Renderer:
    """Return the player of this process, started at the first call."""
    return Renderer(dataset(name)[0], _note(render), json.loads(render)["timeout"])


@cache
def _cache_key(name: str, render: str) -> dict[str, object]:
    """Collect what scores depend on, beside parameter values."""
    synth = dataset(name)[0]
    table = hashlib.sha256((FOLDER / f"{synth.name}.yaml").read_bytes()).hexdigest()
    return {
        "code": digest(Path(__file__)),
        "table": table,
        "versions": versions(),
        "scoring": fingerprint(),
        "played": plugin_fingerprint(synth, _note(render)),
    }


def _note(render: str) -> Note:
    return Note(**{key: value for key, value in json.loads(render).items() if key != "timeout"})
