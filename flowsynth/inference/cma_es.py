"""Control: how near the synthesizer can come to a sound, by search among its parameters and not by hearing.

CMA-ES starts at what another model answered, the nearest training preset, and renders what it tries; the distance is that
of the nearest neighbour, log-mel L1. Each sound is searched alone, with a seed that comes from its id. Torch is not
imported here, as rendering forks.

References:
    Hansen, "The CMA evolution strategy: a tutorial", 2016, arXiv 1604.00772.
    Ros, Hansen, "A simple modification in CMA-ES achieving linear time and space complexity", PPSN 2008: the diagonal of
    the covariance alone, which is learnt in fewer calls.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cma
import librosa
import numpy as np
from jaxtyping import Float

from flowsynth.core import hdf5
from flowsynth.core.progress import log, track
from flowsynth.core.result_cache import ResultCache
from flowsynth.core.seeding import derive_seed
from flowsynth.rendering.audio import read_audio
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import Renderer
from flowsynth.synths.spec import Synth

SPREAD = 0.05  # standard deviation of the first generation, of parameters in [0, 1]
EDGE = 0.01  # the first mean keeps so far from 0 and 1

Values = Float[np.ndarray, " parameters"]


def minimise(loss: Callable[[Values], float], start: Values, calls: int, seed: int) -> tuple[Values, float]:
    """Search the unit cube.

    Args:
        loss: To be made small.
        start: Where to start; it is tried first.
        calls: How often the loss may be asked for.
        seed: Of the generations.

    Returns:
        The best values tried, and their loss: never worse than that of `start`.
    """
    rng = np.random.default_rng(seed)
    options = {"bounds": [0, 1], "CMA_diagonal": True, "verbose": -9}
    chance = {"seed": np.nan, "randn": lambda *shape: rng.standard_normal(shape)}  # its own would be numpy's global one
    first = np.clip(start, EDGE, 1 - EDGE).astype(float)
    strategy = cma.CMAEvolutionStrategy(first, SPREAD, options | chance)
    best, least, left = start, loss(start), calls - 1
    while left > 0:
        tried = strategy.ask()[:left]  # the last generation may be a part of one, which teaches nothing
        losses = [loss(values.astype(np.float32)) for values in tried]
        if len(tried) == strategy.popsize:
            strategy.tell(tried, losses)
        left -= len(tried)
        if min(losses) < least:
            least = min(losses)
            best = tried[int(np.argmin(losses))].astype(np.float32)
    return best, least


def player(synth: Synth, note: Note, names: tuple[str, ...], timeout: float) -> Callable[[Values], np.ndarray]:
    """Give a function that plays inferred values, with a plugin that is loaded once; a failed rendering is silence."""
    played = Renderer(synth, note, timeout)

    def play(values: Values) -> np.ndarray:
        sound = played(synth.expand(values[None], names)[0])
        if sound.status == "failed":
            log.warning("%s: a rendering failed and counts as silence: %s", synth.name, sound.reason)
        return sound.audio

    return play


def ear(sample_rate: int, settings: Mapping[str, Any]) -> Callable[[np.ndarray], Float[np.ndarray, "mels frames"]]:
    """Give a function from sounds to the log-mel spectrograms of `flowsynth.data.features.Mel`, with the settings of that."""
    given = dict(settings)
    frames, floor = given.pop("frames"), given.pop("floor")

    def hear(audio: np.ndarray) -> Float[np.ndarray, "mels frames"]:
        return np.log(librosa.feature.melspectrogram(y=audio, sr=sample_rate, **given)[:, :frames] + floor)

    return hear


def search(
    synth: Synth,
    note: Note,
    starts: Path,
    targets: Sequence[Path],
    ids: Sequence[str],
    settings: Mapping[str, Any],
    renders: int,
    seed: int,
    timeout: float,
    path: Path,
) -> None:
    """Write what search finds for some sounds, in the format of `flowsynth.inference.predict.infer`, one sample each.

    A search that was stopped goes on behind the last sound that was finished, and ends in the same file.

    Args:
        synth: The synthesizer.
        note: What is played.
        starts: Predictions, whose first samples are the starts.
        targets: Files of audio that hold the sounds.
        ids: Of the sounds.
        settings: Of the spectrogram: arguments of `flowsynth.data.features.Mel` but the sample rate.
        renders: For each sound.
        seed: Of the search.
        timeout: Seconds after which a rendering is given up.
        path: Of the file to write.

    Raises:
        ValueError: If a sound is in none of the files.
    """
    with hdf5.reading(starts) as file:
        names, rows = hdf5.names(file), {name: row for row, name in enumerate(hdf5.ids(file))}
        truth, first = file["values"][:], file["estimates"][:, 0]
    heard = read_audio(targets, ids)
    missing = [name for name in ids if name not in rows]
    if missing:
        raise ValueError(f"{len(missing)} sounds, the first of them {missing[0]}, are not in {starts}")
    play, hear = player(synth, note, names, timeout), ear(note.sample_rate, settings)
    made = {"renders": renders, "seed": seed, "spread": SPREAD, **settings}
    kept = ResultCache(path, [], [Path(__file__)], **made)

    def distance(goal: np.ndarray, values: Values) -> float:
        return float(np.abs(hear(play(values)) - goal).mean())

    def found(name: str, start: Values) -> Values:
        best, least = minimise(partial(distance, hear(heard[name])), start, renders, derive_seed(seed, "search", name))
        log.info("search: %s at log-mel L1 %.3f", name, least)
        return best

    answers = []
    for name in track(ids, len(ids), f"search {path.parent}"):
        start = first[rows[name]]
        answers.append(kept.get(name, heard[name].tobytes() + start.tobytes(), partial(found, name, start)))
    with hdf5.writing(path, ids, truth[[rows[name] for name in ids]], names, made) as file:
        hdf5.add_items(file, "estimates", (1, len(names)))[:, 0] = answers
    kept.remove()
