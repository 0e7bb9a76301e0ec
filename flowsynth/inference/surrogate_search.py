"""Answers corrected by listening: what was rendered tells a model that stands for the synthesizer where it is wrong.

The first answers of a `flowsynth.models.surrogates.base.Surrogate` are rendered as they are. From then on it is told what
all of them sounded like, names one more, and that is rendered in turn. The one that sounds closest is kept, by the log-mel
L1 of the networks' features; nothing but the sound that was heard is compared with.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from inspect import getfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from flowsynth.core import hdf5
from flowsynth.core.progress import log, track
from flowsynth.core.result_cache import ResultCache
from flowsynth.inference.cma_es import ear, player
from flowsynth.models.surrogates.base import Surrogate
from flowsynth.rendering.audio import read_audio
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import Synth
from flowsynth.training.accelerator import device_of
from flowsynth.training.checkpoints import load

Values = Float[np.ndarray, " parameters"]
LogMel = Float[np.ndarray, "mels frames"]


def follow(
    model: Surrogate,
    goal: LogMel,
    first: Float[np.ndarray, "first parameters"],
    sound: Callable[[Values], LogMel],
    renders: int,
) -> tuple[Values, Float[np.ndarray, " renders"]]:
    """Find a preset for a sound.

    Args:
        model: The model.
        goal: Log-mel spectrogram of the sound.
        first: Presets to begin with, at most as many as `renders`.
        sound: Gives the log-mel spectrogram of what a preset sounds like.
        renders: How many presets to render.

    Returns:
        The preset that sounds closest, and the log-mel L1 of all in the order in which they were rendered.

    Raises:
        ValueError: If the model names what is no preset.
    """
    heard, *tried = (torch.from_numpy(values).to(model.mel_mean) for values in (goal, *first))
    sounds = [torch.from_numpy(sound(values)).to(heard) for values in first]
    while len(tried) < renders:
        with torch.no_grad():
            told = model.propose_next(heard, torch.stack(tried), torch.stack(sounds))
        if told.shape != tried[0].shape or not ((told >= 0) & (told <= 1)).all():
            raise ValueError(f"{type(model).__name__} answers {told.tolist()}, expected {len(tried[0])} values in 0..1")
        tried.append(told)
        sounds.append(torch.from_numpy(sound(tried[-1].cpu().numpy())).to(heard))
    distances = (torch.stack(sounds) - heard).abs().mean((1, 2)).cpu().numpy()
    return tried[int(distances.argmin())].cpu().numpy(), distances


def correct(
    synth: Synth,
    note: Note,
    checkpoint: Path,
    candidates: Path,
    targets: Sequence[Path],
    settings: Mapping[str, Any],
    renders: int,
    timeout: float,
    path: Path,
    accelerator: str = "cpu",
) -> None:
    """Write the corrected answers to some sounds, in the format of `flowsynth.inference.predict.infer`, one sample each.

    Each sound is heard alone. What was stopped goes on behind the last sound that was finished, and ends in the same file.

    Args:
        synth: The synthesizer.
        note: What is played.
        checkpoint: Of the model.
        candidates: Its first answers to each sound, as made by `flowsynth.inference.predict.infer`, at most as many as
        `renders`. targets: Files of audio that hold the sounds. settings: Of the spectrogram: arguments of
        `flowsynth.data.features.Mel` but the sample rate. renders: For each sound. timeout: Seconds after which a rendering
        is given up; it counts as silence. path: Of the file to write. accelerator: Where the model answers: ``cpu``,
        ``gpu`` or ``auto``.

    Raises:
        ValueError: If a sound is in none of the files, or the model can't be corrected.
    """
    model, _ = load(checkpoint)
    if not isinstance(model, Surrogate):
        raise ValueError(f"{checkpoint}: {type(model).__name__} can't be corrected: it is not derived from Surrogate")
    model.to(device_of(accelerator))
    with hdf5.reading(candidates) as file:
        ids, names = hdf5.ids(file).tolist(), hdf5.names(file)
        truth, estimates = file["values"][:], file["estimates"][:]
    heard = read_audio(targets, ids)
    play, hear = player(synth, note, names, timeout), ear(note.sample_rate, settings)
    made = {"checkpoint": str(checkpoint), "renders": renders, **settings}
    code = [Path(__file__), Path(getfile(type(model)))]
    kept = ResultCache(path, [checkpoint], code, accelerator=accelerator, **made)

    def sound(values: Values) -> LogMel:
        return hear(play(values))

    def found(name: str, first: np.ndarray) -> Values:
        best, distances = follow(model, hear(heard[name]), first, sound, renders)
        log.info("corrected: %s from log-mel L1 %.3f to %.3f", name, distances[0], distances.min())
        return best

    answers = []
    for row, name in enumerate(track(ids, len(ids), f"corrected {path.parent}")):
        first = estimates[row]
        answers.append(kept.get(name, heard[name].tobytes() + first.tobytes(), partial(found, name, first)))
    with hdf5.writing(path, ids, truth, names, made) as file:
        hdf5.add_items(file, "estimates", (1, len(names)))[:, 0] = answers
    kept.remove()
