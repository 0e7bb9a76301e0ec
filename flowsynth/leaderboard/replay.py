"""Answers to an item played and scored again, in processes that each have a plugin; what was found is kept."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
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
from flowsynth.evaluation.fingerprint import fingerprint
from flowsynth.evaluation.scoring import compute_metrics
from flowsynth.metrics import registry
from flowsynth.rendering.host import Note
from flowsynth.rendering.host import fingerprint as played
from flowsynth.rendering.render import Renderer
from flowsynth.synths.spec import FOLDER, dataset

BATCH = 8  # answers scored at once

Scores = dict[str, float]  # by metric


@dataclass(frozen=True)
class Task:
    """An item to be played and scored again.

    Attributes:
        kept: File for what is found.
        dataset: Name of the data set.
        render: Arguments of `Note`, and ``timeout`` in seconds.
        answers: Distinct answers to the item, each the bytes of its float32 values; the truth is the first of them.
    """

    kept: Path
    dataset: str
    render: Mapping[str, Any]
    answers: tuple[bytes, ...]


def pool(jobs: int) -> ProcessPoolExecutor:
    """Processes for `scored` and `heard`, a core each."""
    return ProcessPoolExecutor(jobs, get_context("spawn"), torch.set_num_threads, (1,))


def scored(task: Task) -> dict[bytes, Scores]:
    """Metrics of sounds by answer: those that were kept, of the same code, plugin and packages, and the others made now.

    Raises:
        FileNotFoundError: If the plugin is missing.
        ValueError: If it is another plugin.
    """
    key = _key(task.dataset, json.dumps(dict(task.render))) | {"truth": task.answers[0].hex()}
    there: dict[str, Scores] = {}
    if task.kept.exists():
        before = json.loads(task.kept.read_text())
        there = before["scores"] if before["key"] == key else {}
    missing = [answer for answer in task.answers if answer.hex() not in there]
    if missing:
        there |= dict(zip((answer.hex() for answer in missing), _measured(task, missing), strict=True))
        write_text(task.kept, json.dumps({"key": key, "scores": there}))
    return {answer: there[answer.hex()] for answer in task.answers}


def heard(task: tuple[str, Mapping[str, Any], Float[np.ndarray, " parameters"]]) -> str:
    """Hash the sound of a preset: of a data set's name, arguments of `Note` with ``timeout``, and all its values."""
    name, render, values = task
    return hashlib.sha256(_player(name, json.dumps(dict(render)))(values).audio.tobytes()).hexdigest()


def _measured(task: Task, answers: Sequence[bytes]) -> Iterator[Scores]:
    (synth, names), play = dataset(task.dataset), _player(task.dataset, json.dumps(dict(task.render)))
    metrics = [metric for metric in registry().values() if metric.domain != "parameters"]
    vectors = np.stack([np.frombuffer(answer, np.float32) for answer in (task.answers[0], *answers)])
    target, *sounds = (play(vector).audio for vector in synth.expand(vectors, names))
    for start in range(0, len(sounds), BATCH):
        estimate, values = np.stack(sounds[start : start + BATCH]), vectors[1 + start : 1 + start + BATCH]
        truth, reference = (np.tile(one, (len(estimate), 1)) for one in (vectors[0], target))
        found = compute_metrics(metrics, truth, reference, task.render["sample_rate"], [(values, estimate)])
        by_metric = {metric: given.tolist() for _, metric, given in found}
        yield from (dict(zip(by_metric, row, strict=True)) for row in zip(*by_metric.values(), strict=True))


@cache
def _player(name: str, render: str) -> Renderer:
    """The player of this process, which ends with it."""
    return Renderer(dataset(name)[0], _note(render), json.loads(render)["timeout"])


@cache
def _key(name: str, render: str) -> dict[str, object]:
    """What scores depend on, beside the values."""
    synth = dataset(name)[0]
    table = hashlib.sha256((FOLDER / f"{synth.name}.yaml").read_bytes()).hexdigest()
    sound = played(synth, _note(render))
    return {
        "code": digest(Path(__file__)),
        "table": table,
        "versions": versions(),
        "scoring": fingerprint(),
        "played": sound,
    }


def _note(render: str) -> Note:
    return Note(**{key: value for key, value in json.loads(render).items() if key != "timeout"})
